package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
)

const (
	headBytes  = 44
	formatPCM  = 1
	extensible = 0xfffe
)

// recording is sound of one channel, 16 bits a sample.
type recording struct {
	pcm    []byte
	rateHz int
}

var errNoWAV = errors.New("it is no WAV file with 16 bits a sample; `ffmpeg -i FILE -ac 1 -ar 16000 -c:a pcm_s16le OUT.wav` makes one")

type wavFormat struct {
	Code, Channels uint16
	RateHz         uint32
	BytesPerSecond uint32
	Block, Bits    uint16
}

// readWAV reads a recording; of several channels it takes the mean.
func readWAV(path string) (recording, error) {
	file, err := os.ReadFile(path)
	if err != nil {
		return recording{}, err
	}
	if len(file) < 12 || string(file[:4]) != "RIFF" || string(file[8:12]) != "WAVE" {
		return recording{}, fmt.Errorf("%s: %w", path, errNoWAV)
	}
	var format wavFormat
	for rest := file[12:]; len(rest) >= 8; {
		name, size := string(rest[:4]), int(binary.LittleEndian.Uint32(rest[4:8]))
		// A recording that was broken off says that there is more.
		chunk := rest[8:min(len(rest), 8+size)]
		switch name {
		case "fmt ":
			if err := binary.Read(bytes.NewReader(chunk), binary.LittleEndian, &format); err != nil {
				return recording{}, fmt.Errorf("%s: %w", path, errNoWAV)
			}
		case "data":
			if (format.Code != formatPCM && format.Code != extensible) || format.Bits != 16 || format.Channels == 0 {
				return recording{}, fmt.Errorf("%s: %w", path, errNoWAV)
			}
			return recording{mixed(chunk, int(format.Channels)), int(format.RateHz)}, nil
		}
		rest = rest[min(len(rest), 8+size+size%2):]
	}
	return recording{}, fmt.Errorf("%s: %w", path, errNoWAV)
}

func mixed(pcm []byte, channels int) []byte {
	block := channels * bytesPerSample
	mono := make([]byte, 0, len(pcm)/channels)
	for ; len(pcm) >= block; pcm = pcm[block:] {
		sum := 0
		for channel := range channels {
			sum += int(int16(binary.LittleEndian.Uint16(pcm[channel*bytesPerSample:])))
		}
		mono = binary.LittleEndian.AppendUint16(mono, uint16(int16(sum/channels)))
	}
	return mono
}

// wavFile is a recording that is being written; its head is right once it is closed.
type wavFile struct {
	file   *os.File
	rateHz int
	bytes  int
}

func createWAV(path string, rateHz int) (*wavFile, error) {
	file, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	made := &wavFile{file: file, rateHz: rateHz}
	_, err = file.Write(made.head())
	return made, err
}

func (w *wavFile) Write(pcm []byte) (int, error) {
	got, err := w.file.Write(pcm)
	w.bytes += got
	return got, err
}

func (w *wavFile) Close() error {
	_, err := w.file.Seek(0, io.SeekStart)
	if err == nil {
		_, err = w.file.Write(w.head())
	}
	return errors.Join(err, w.file.Close())
}

func (w *wavFile) head() []byte {
	var head bytes.Buffer
	format := wavFormat{
		Code: formatPCM, Channels: 1, RateHz: uint32(w.rateHz), BytesPerSecond: uint32(w.rateHz * bytesPerSample),
		Block: bytesPerSample, Bits: 8 * bytesPerSample,
	}
	// Into memory nothing fails.
	for _, part := range []any{
		[]byte("RIFF"), uint32(headBytes - 8 + w.bytes), []byte("WAVEfmt "), uint32(16), format,
		[]byte("data"), uint32(w.bytes),
	} {
		_ = binary.Write(&head, binary.LittleEndian, part)
	}
	return head.Bytes()
}
