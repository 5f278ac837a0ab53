package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func TestARecordingIsReadAsItWasWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "reply.wav")
	file, err := createWAV(path, 24_000)
	if err != nil {
		t.Fatal(err)
	}
	for _, pcm := range [][]byte{{1, 2, 3, 4}, {5, 6}} {
		if _, err := file.Write(pcm); err != nil {
			t.Fatal(err)
		}
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	read, err := readWAV(path)
	if err != nil || read.rateHz != 24_000 || !bytes.Equal(read.pcm, []byte{1, 2, 3, 4, 5, 6}) {
		t.Fatalf("read %+v: %v", read, err)
	}
}

func TestOfSeveralChannelsTheMeanIsTaken(t *testing.T) {
	var stereo []byte
	for _, sample := range []int16{100, -300, 32767, 32767} {
		stereo = binary.LittleEndian.AppendUint16(stereo, uint16(sample))
	}
	if got := mixed(stereo, 2); !bytes.Equal(got, []byte{0x9c, 0xff, 0xff, 0x7f}) {
		t.Fatalf("got %x", got)
	}
}

func FuzzAnyFileIsReadOrRefused(f *testing.F) {
	f.Add([]byte("hello, I am no sound"))
	f.Add([]byte("RIFF\x00\x00\x00\x00WAVEfmt \xff\xff\xff\xff\x01\x00"))
	f.Add([]byte("RIFF\x00\x00\x00\x00WAVEdata\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, content []byte) {
		path := filepath.Join(t.TempDir(), "any.wav")
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := readWAV(path); errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
	})
}
