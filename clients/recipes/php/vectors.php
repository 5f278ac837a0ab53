<?php

// Loads all that the recipe for PHP wrote, and reads and writes every field of the contract: vectors.php gen/php protos/testdata/every_field

namespace Grpc {
    // Debian has no gRPC for PHP; the stubs are loaded, not called.
    if (!class_exists(BaseStub::class)) {
        class BaseStub
        {
        }
    }
}

namespace {
    [, $code, $vectors] = $argv;
    spl_autoload_register(function (string $class) use ($code): void {
        foreach ([$code, '/usr/share/php'] as $folder) {
            $file = $folder . '/' . strtr($class, '\\', '/') . '.php';
            if (is_file($file)) {
                require_once $file;
                return;
            }
        }
    });
    foreach (new RecursiveIteratorIterator(new RecursiveDirectoryIterator($code, FilesystemIterator::SKIP_DOTS)) as $file) {
        require_once $file;
    }

    $seen = 0;
    foreach (glob("$vectors/*.json") as $file) {
        foreach (json_decode(file_get_contents($file), true, flags: JSON_THROW_ON_ERROR) as $vector) {
            $class = implode('\\', array_map('ucfirst', explode('.', $vector['type'])));
            $message = new $class();
            $message->mergeFromString(base64_decode($vector['binary']));
            if (json_decode($message->serializeToJsonString(), true) != $vector['json']) {
                throw new UnexpectedValueException("$class is read otherwise");
            }
            if ($message->serializeToString() !== base64_decode($vector['binary'])) {
                throw new UnexpectedValueException("$class is written otherwise");
            }
            $seen++;
        }
    }
    if ($seen === 0) {
        throw new UnexpectedValueException("There are no vectors in $vectors");
    }
    echo "$seen vectors\n";
}
