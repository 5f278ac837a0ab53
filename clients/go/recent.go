package vivavoce

import (
	conversationv1 "vivavoce.example/go/gen/vivavoce/conversation/v1"
)

const bytesPerSample = 2

// recent remembers the learner's latest sound, so that what a cut wire swallowed can be sent again.
type recent struct {
	longest int64
	pieces  []*conversationv1.AppendAudio
	// next is the position of the next sample.
	next int64
}

// add takes the next piece in, and gives the message that sends it.
func (r *recent) add(pcm []byte) *conversationv1.AppendAudio {
	piece := &conversationv1.AppendAudio{FirstSample: r.next, Pcm: pcm}
	r.pieces = append(r.pieces, piece)
	r.next += int64(len(pcm) / bytesPerSample)
	for r.next-r.pieces[0].GetFirstSample() > r.longest {
		r.pieces = r.pieces[1:]
	}
	return piece
}

// again gives what came from a position on, numbered anew from where the server goes on.
func (r *recent) again(fromSample, nextSample int64) []*conversationv1.AppendAudio {
	remembered := r.pieces
	r.pieces, r.next = nil, nextSample
	var lost []*conversationv1.AppendAudio
	for _, piece := range remembered {
		if piece.GetFirstSample() >= fromSample {
			lost = append(lost, r.add(piece.GetPcm()))
		}
	}
	return lost
}
