package vivavoce

import (
	"sync"
	"time"
)

// Sound that is waited for before a reply begins, or goes on after it ran dry; so much more after each time it did.
const (
	shortestWait = 40 * time.Millisecond
	moreWait     = 40 * time.Millisecond
	longestWait  = 400 * time.Millisecond
)

// JitterBuffer takes replies as the network brings them, gives a sound card what it asks for, and counts it. It plays one
// reply at a time. Its methods may be called from any goroutine.
type JitterBuffer struct {
	rateHz   int
	mu       sync.Mutex
	replyID  string
	pcm      []byte
	taken    int
	playing  bool
	complete bool
	// gathering says that sound has to gather before it plays on.
	gathering bool
	wait      time.Duration
}

// NewJitterBuffer makes one for sound of a rate.
func NewJitterBuffer(rateHz int) *JitterBuffer {
	return &JitterBuffer{rateHz: rateHz, gathering: true, wait: shortestWait}
}

// Play queues more of a reply from a position on; another reply than before replaces what is queued.
func (b *JitterBuffer) Play(replyID string, firstSample int64, pcm []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if replyID != b.replyID {
		b.replyID, b.pcm, b.taken = replyID, nil, 0
		b.playing, b.complete, b.gathering = true, false, true
	}
	place := int(firstSample) * bytesPerSample
	// What was lost on the way is silence.
	if missing := place + len(pcm) - len(b.pcm); missing > 0 {
		b.pcm = append(b.pcm, make([]byte, missing)...)
	}
	copy(b.pcm[place:], pcm)
}

// End says that all of a reply has come.
func (b *JitterBuffer) End(replyID string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.complete = b.complete || replyID == b.replyID
}

// Pause stops at once and keeps what is queued.
func (b *JitterBuffer) Pause() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.playing = false
}

// Resume plays on from a sample of the current reply.
func (b *JitterBuffer) Resume(fromSample int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.taken = min(int(fromSample)*bytesPerSample, len(b.pcm))
	b.playing = true
}

// Drop stops and drops what is queued.
func (b *JitterBuffer) Drop() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.replyID, b.pcm, b.taken, b.playing = "", nil, 0, false
}

// Played gives the current reply and the samples of it that were given out; an empty id where there is none.
func (b *JitterBuffer) Played() (replyID string, samples int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.replyID, int64(b.taken / bytesPerSample)
}

// Read fills pcm with the next samples for the loudspeaker: with silence where there is nothing to play, or not enough
// yet. It never waits and never ends, so that a sound library can read from it at the pace of its card.
func (b *JitterBuffer) Read(pcm []byte) (int, error) {
	wanted := len(pcm) - len(pcm)%bytesPerSample
	clear(pcm[:wanted])
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.ready() {
		return wanted, nil
	}
	given := copy(pcm[:wanted], b.pcm[b.taken:])
	b.taken += given
	if given > 0 && given < wanted && !b.complete {
		// It ran dry in the middle: the network is less even than it was taken for.
		b.gathering = true
		b.wait = min(longestWait, b.wait+moreWait)
	}
	return wanted, nil
}

func (b *JitterBuffer) ready() bool {
	if !b.playing {
		return false
	}
	queued := time.Duration(len(b.pcm)-b.taken) * time.Second / time.Duration(bytesPerSample*b.rateHz)
	if b.gathering && (b.complete || queued >= b.wait) {
		b.gathering = false
	}
	return !b.gathering
}
