package vivavoce

import (
	"context"
	"errors"
	"io"
	"time"

	conversationv1 "vivavoce.example/go/gen/vivavoce/conversation/v1"
)

const frame = 20 * time.Millisecond

// Say sends 20 to 100 ms of the learner's sound, signed 16-bit little-endian samples at the input rate; no faster than it
// sounds. The slice is kept: give a fresh one each time. Where the wire is cut, the sound is kept for later.
func (c *Conversation) Say(pcm []byte) error { return c.wire.say(pcm) }

// InputHz is the rate of the learner's sound.
func (c *Conversation) InputHz() int { return int(c.wire.start.GetInputAudio().GetSampleRateHz()) }

// Speak sends what a microphone gives until it ends, the context is done, or the session is over. A microphone is anything
// that gives samples when they are captured.
func (c *Conversation) Speak(ctx context.Context, microphone io.Reader) error {
	size := c.InputHz() * int(frame/time.Millisecond) / 1000 * bytesPerSample
	for ctx.Err() == nil {
		pcm := make([]byte, size)
		got, err := io.ReadFull(microphone, pcm)
		if got -= got % bytesPerSample; got > 0 {
			if failed := c.Say(pcm[:got]); failed != nil {
				return failed
			}
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}

// Write says something in writing. It is taken once, whatever happens to the wire.
func (c *Conversation) Write(ctx context.Context, text string) error {
	return c.wire.submit(ctx, &conversationv1.SubmitText{Text: text})
}

// Commit ends the turn now: for push-to-talk.
func (c *Conversation) Commit(ctx context.Context) error {
	return c.Send(ctx, &conversationv1.ConverseRequest{
		Event: &conversationv1.ConverseRequest_CommitTurn{CommitTurn: &conversationv1.CommitTurn{}},
	})
}

// Hold holds the turn open while the learner thinks, or releases it.
func (c *Conversation) Hold(ctx context.Context, held bool) error {
	return c.Send(ctx, &conversationv1.ConverseRequest{
		Event: &conversationv1.ConverseRequest_HoldTurn{HoldTurn: &conversationv1.HoldTurn{Held: held}},
	})
}

// CancelReply stops the reply that is playing.
func (c *Conversation) CancelReply(ctx context.Context) error {
	return c.Send(ctx, &conversationv1.ConverseRequest{
		Event: &conversationv1.ConverseRequest_CancelReply{CancelReply: &conversationv1.CancelReply{}},
	})
}

// RepeatReply asks to hear a reply again, the last one where none is named; slowly where the rate is 0.
func (c *Conversation) RepeatReply(ctx context.Context, replyID string, speakingRate float32) error {
	repeat := &conversationv1.RepeatReply{ReplyId: replyID, SpeakingRate: speakingRate}
	return c.Send(ctx, &conversationv1.ConverseRequest{
		Event: &conversationv1.ConverseRequest_RepeatReply{RepeatReply: repeat},
	})
}

// AskReply asks the tutor to speak; to answer something beside the talk where aside is not empty.
func (c *Conversation) AskReply(ctx context.Context, aside string) error {
	return c.Send(ctx, &conversationv1.ConverseRequest{
		Event: &conversationv1.ConverseRequest_AskReply{AskReply: &conversationv1.AskReply{Aside: aside}},
	})
}

// End ends the session; the events go on until SessionEnded.
func (c *Conversation) End(ctx context.Context) error {
	return c.Send(ctx, &conversationv1.ConverseRequest{
		Event: &conversationv1.ConverseRequest_EndSession{EndSession: &conversationv1.EndSession{}},
	})
}

// Send sends any other request of converse.proto; where the wire is cut, once it is back.
func (c *Conversation) Send(ctx context.Context, request *conversationv1.ConverseRequest) error {
	return c.wire.send(ctx, request)
}
