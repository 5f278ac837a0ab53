package vivavoce

import "sync"

// Loudspeaker plays replies. It is steered by a Conversation; [JitterBuffer] is one for sound cards, [Reader] one for
// programs without sound.
type Loudspeaker interface {
	// Play queues more of a reply from a position on; another reply than before replaces what is queued.
	Play(replyID string, firstSample int64, pcm []byte)
	// End says that all of a reply has come.
	End(replyID string)
	// Pause stops at once and keeps what is queued.
	Pause()
	// Resume plays on from a sample of the current reply.
	Resume(fromSample int64)
	// Drop stops and drops what is queued.
	Drop()
	// Played gives the current reply and the samples of it that were played; an empty id where there is none.
	Played() (replyID string, samples int64)
}

// Reader is a loudspeaker for programs that read what the tutor says: all that came counts as heard.
type Reader struct {
	mu      sync.Mutex
	replyID string
	samples int64
}

// Play takes note of what came.
func (r *Reader) Play(replyID string, firstSample int64, pcm []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if replyID != r.replyID {
		r.replyID, r.samples = replyID, 0
	}
	r.samples = max(r.samples, firstSample+int64(len(pcm)/bytesPerSample))
}

// End changes nothing.
func (r *Reader) End(string) {}

// Pause changes nothing: nothing sounds.
func (r *Reader) Pause() {}

// Resume changes nothing: nothing sounds.
func (r *Reader) Resume(int64) {}

// Drop forgets the reply, which is over.
func (r *Reader) Drop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.replyID, r.samples = "", 0
}

// Played gives the current reply and the samples of it that came.
func (r *Reader) Played() (replyID string, samples int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.replyID, r.samples
}
