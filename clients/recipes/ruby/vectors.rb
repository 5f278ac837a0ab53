# Loads all that the recipe for Ruby wrote, and reads and writes every field of the contract: vectors.rb gen/ruby protos/testdata/every_field
require "base64"
require "json"

code, vectors = ARGV
$LOAD_PATH.unshift(File.expand_path(code))
Dir["**/*.rb", base: code].sort.each { |file| require file }
seen = Dir["#{vectors}/*.json"].flat_map { |file| JSON.parse(File.read(file)) }.each do |vector|
  binary = Base64.decode64(vector["binary"])
  message = Google::Protobuf::DescriptorPool.generated_pool.lookup(vector["type"]).msgclass.decode(binary)
  abort "#{vector["type"]} is read otherwise" unless JSON.parse(message.to_json) == vector["json"]
  abort "#{vector["type"]} is written otherwise" unless message.to_proto == binary
end
abort "There are no vectors in #{vectors}" if seen.empty?
puts "#{seen.size} vectors"
