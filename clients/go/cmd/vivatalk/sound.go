package main

import (
	"context"
	"io"
	"sync"
	"time"
)

const (
	bytesPerSample = 2
	piece          = 20 * time.Millisecond
)

// paced gives sound no faster than it sounds.
type paced struct {
	source io.Reader
	rateHz int
	began  time.Time
	bytes  int64
}

func (p *paced) Read(pcm []byte) (int, error) {
	if p.began.IsZero() {
		p.began = time.Now()
	}
	got, err := p.source.Read(pcm)
	p.bytes += int64(got)
	lasts := time.Duration(p.bytes) * time.Second / time.Duration(bytesPerSample*p.rateHz)
	due := p.began.Add(lasts)
	if behind := time.Since(due); behind > time.Second {
		// A source that came late is not made up for.
		p.began = p.began.Add(behind)
	}
	time.Sleep(time.Until(due))
	return got, err
}

// microphone speaks recordings one after the other, with silence between them.
type microphone struct {
	mu      sync.Mutex
	pending []byte
}

func (m *microphone) say(pcm []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.pending = append(m.pending, pcm...)
}

func (m *microphone) Read(pcm []byte) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	got := copy(pcm, m.pending)
	m.pending = m.pending[got:]
	clear(pcm[got:])
	return len(pcm), nil
}

// play moves what a loudspeaker plays to where it sounds, until the context is done.
func play(ctx context.Context, from io.Reader, to io.Writer, rateHz int) error {
	source := &paced{source: from, rateHz: rateHz}
	pcm := make([]byte, int(piece/time.Millisecond)*rateHz/1000*bytesPerSample)
	for ctx.Err() == nil {
		if _, err := io.ReadFull(source, pcm); err != nil {
			return err
		}
		if _, err := to.Write(pcm); err != nil {
			return err
		}
	}
	return nil
}
