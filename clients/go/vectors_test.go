package vivavoce

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protodelim"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	_ "vivavoce.example/go/gen/vivavoce/ai_engine/v1"
	conversationv1 "vivavoce.example/go/gen/vivavoce/conversation/v1"
	_ "vivavoce.example/go/gen/vivavoce/history/v1"
	_ "vivavoce.example/go/gen/vivavoce/media/v1"
	_ "vivavoce.example/go/gen/vivavoce/type/v1"
)

// The wire vectors, which every client reads and writes alike.
const vectors = "../../protos/testdata"

func TestEveryFieldOfTheContractIsReadAndWrittenAlike(t *testing.T) {
	for _, path := range files(t, "every_field/*.json") {
		var held []struct {
			Type   string
			Binary []byte
			JSON   json.RawMessage
		}
		load(t, path, &held)
		for _, each := range held {
			kind, err := protoregistry.GlobalTypes.FindMessageByName(protoreflect.FullName(each.Type))
			if err != nil {
				t.Fatalf("%s: %v", each.Type, err)
			}
			if complaint := compare(kind.New().Interface(), each.Binary, each.JSON); complaint != "" {
				t.Errorf("%s: %s", each.Type, complaint)
			}
		}
	}
}

func TestARecordedSessionIsReadAndWrittenAlike(t *testing.T) {
	for _, path := range files(t, "sessions/*.binpb") {
		t.Run(filepath.Base(path), func(t *testing.T) {
			var told []json.RawMessage
			load(t, strings.TrimSuffix(path, ".binpb")+".json", &told)
			recorded, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			stream, written := bytes.NewReader(recorded), &bytes.Buffer{}
			for number := 0; ; number++ {
				message := said(path)
				if err := protodelim.UnmarshalFrom(stream, message); errors.Is(err, io.EOF) {
					break
				} else if err != nil {
					t.Fatal(err)
				}
				binary := marshal(t, message)
				if complaint := compare(message, binary, told[number]); complaint != "" {
					t.Errorf("message %d: %s", number, complaint)
				}
				written.Write(protowire.AppendBytes(nil, binary))
			}
			if !bytes.Equal(written.Bytes(), recorded) {
				t.Error("it is written as other bytes")
			}
		})
	}
}

func TestAFailureIsReadWithItsReasonAndField(t *testing.T) {
	var failures []struct {
		Name, Reason, Field, Message string
		Status                       []byte
	}
	load(t, filepath.Join(vectors, "failures.json"), &failures)
	for _, each := range failures {
		var carried spb.Status
		if err := proto.Unmarshal(each.Status, &carried); err != nil {
			t.Fatal(err)
		}
		var read *Error
		if !errors.As(ErrorOf(status.FromProto(&carried).Err()), &read) {
			t.Fatalf("%s is no Error", each.Name)
		}
		if read.Reason != each.Reason || read.Field != each.Field || read.Message != each.Message {
			t.Errorf("%s was read as %+v", each.Name, read)
		}
	}
}

func said(path string) proto.Message {
	if strings.HasSuffix(path, ".requests.binpb") {
		return &conversationv1.ConverseRequest{}
	}
	return &conversationv1.ConverseResponse{}
}

// compare reads a message from both its forms and writes it again; it gives what is wrong.
func compare(message proto.Message, binary []byte, written json.RawMessage) string {
	if err := proto.Unmarshal(binary, message); err != nil {
		return err.Error()
	}
	if len(message.ProtoReflect().GetUnknown()) > 0 {
		return "it has fields that are not known"
	}
	shown, err := protojson.Marshal(message)
	if err != nil {
		return err.Error()
	}
	var ours, theirs any
	if json.Unmarshal(shown, &ours) != nil || json.Unmarshal(written, &theirs) != nil || !reflect.DeepEqual(ours, theirs) {
		return "it reads " + string(shown)
	}
	parsed := message.ProtoReflect().New().Interface()
	if err := protojson.Unmarshal(written, parsed); err != nil {
		return err.Error()
	}
	again, err := proto.Marshal(parsed)
	if again = ordered(parsed.ProtoReflect().Descriptor(), again); err != nil || !bytes.Equal(again, binary) {
		return "it is written as " + base64.StdEncoding.EncodeToString(again)
	}
	return ""
}

func marshal(t *testing.T, message proto.Message) []byte {
	t.Helper()
	binary, err := proto.Marshal(message)
	if err != nil {
		t.Fatal(err)
	}
	return ordered(message.ProtoReflect().Descriptor(), binary)
}

// ordered puts fields in the order of their numbers, as the vectors have them: Go writes members of a oneof last.
func ordered(kind protoreflect.MessageDescriptor, binary []byte) []byte {
	type field struct {
		number  protowire.Number
		written []byte
	}
	var found []field
	for len(binary) > 0 {
		number, wireType, tag := protowire.ConsumeTag(binary)
		size := tag + protowire.ConsumeFieldValue(number, wireType, binary[tag:])
		written := binary[:size]
		if known := kind.Fields().ByNumber(number); known != nil && known.Kind() == protoreflect.MessageKind {
			inner, _ := protowire.ConsumeBytes(binary[tag:])
			written = protowire.AppendTag(nil, number, wireType)
			written = protowire.AppendBytes(written, ordered(known.Message(), inner))
		}
		found = append(found, field{number, written})
		binary = binary[size:]
	}
	slices.SortStableFunc(found, func(a, b field) int { return int(a.number - b.number) })
	var whole []byte
	for _, each := range found {
		whole = append(whole, each.written...)
	}
	return whole
}

func files(t *testing.T, pattern string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(vectors, pattern))
	if err != nil || len(found) == 0 {
		t.Fatalf("there is nothing at %s: %v", pattern, err)
	}
	return found
}

func load(t *testing.T, path string, into any) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}
