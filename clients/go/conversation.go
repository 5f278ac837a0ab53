package vivavoce

import (
	"context"
	"errors"
	"io"
	"iter"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/protobuf/proto"

	conversationv1 "vivavoce.example/go/gen/vivavoce/conversation/v1"
)

const reportEvery = 100 * time.Millisecond

// Event is one of the messages that a ConverseResponse of converse.proto may hold: *SpeechStarted, *TurnCommitted,
// *ReplyText, *FeedbackGiven and so on.
type Event = proto.Message

// Conversation is a live session. It comes back by itself after a cut, renews the access token, steers the loudspeaker and
// reports what it played. Its methods may be called from any goroutine; its events are taken in one place.
type Conversation struct {
	// Loudspeaker is what plays the replies.
	Loudspeaker Loudspeaker

	wire    *lasting
	fresh   func(context.Context) (string, error)
	cancel  context.CancelFunc
	running sync.WaitGroup
	events  chan told
	started atomic.Pointer[conversationv1.SessionStarted]
	// playedOn says that the reply was played on while the wire was cut. It belongs to the goroutine that receives.
	playedOn bool
}

type told struct {
	event Event
	err   error
}

func newConversation(
	cancel context.CancelFunc, wire *lasting, loudspeaker Loudspeaker, fresh func(context.Context) (string, error),
) *Conversation {
	return &Conversation{
		Loudspeaker: loudspeaker,
		wire:        wire,
		fresh:       fresh,
		cancel:      cancel,
		events:      make(chan told, waiting),
	}
}

// begin takes the first response in, and goes on with the rest until the session is over.
func (c *Conversation) begin(ctx context.Context, first *conversationv1.ConverseResponse) {
	c.running.Go(func() {
		// Who reports ends with who listens.
		defer c.cancel()
		defer close(c.events)
		c.listen(ctx, first)
	})
	c.running.Go(func() { c.report(ctx) })
}

// Started tells how the session was opened, or resumed last.
func (c *Conversation) Started() *conversationv1.SessionStarted { return c.started.Load() }

// Away says whether the wire is cut, and may come back; what is said meanwhile is kept.
func (c *Conversation) Away() bool { return c.wire.away() }

// Close leaves the session without a goodbye and waits until nothing of it runs; after End and the last event it only
// tidies up.
func (c *Conversation) Close() {
	c.cancel()
	c.wire.close()
	c.running.Wait()
}

// Events gives what happens, until the session is over. Where it ended with a failure, the last is an error. Leaving the
// loop loses nothing: the next one goes on.
func (c *Conversation) Events() iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		for next := range c.events {
			if !yield(next.event, next.err) {
				return
			}
		}
	}
}

func (c *Conversation) listen(ctx context.Context, response *conversationv1.ConverseResponse) {
	for {
		if event := eventOf(response); event != nil {
			c.steer(ctx, event)
			if !c.tell(ctx, told{event: event}) {
				return
			}
			if ended, over := event.(*conversationv1.SessionEnded); over && ended.GetFailure() != nil {
				c.tell(ctx, told{err: ErrorOfFailure(ended.GetFailure())})
				return
			}
		}
		var err error
		if response, err = c.wire.receive(ctx); err != nil {
			if !errors.Is(err, io.EOF) {
				c.tell(ctx, told{err: err})
			}
			return
		}
	}
}

// eventOf takes the event out of a response; nil where it is of a later contract.
func eventOf(response *conversationv1.ConverseResponse) Event {
	message := response.ProtoReflect()
	field := message.WhichOneof(message.Descriptor().Oneofs().ByName("event"))
	if field == nil {
		return nil
	}
	return message.Get(field).Message().Interface()
}

func (c *Conversation) tell(ctx context.Context, next told) bool {
	// Where there is room, also once the context is done: who takes the events learns of it.
	select {
	case c.events <- next:
		return true
	default:
	}
	select {
	case c.events <- next:
		return true
	case <-ctx.Done():
		return false
	}
}

func (c *Conversation) steer(ctx context.Context, event Event) {
	switch event := event.(type) {
	case *conversationv1.ReplyAudio:
		c.Loudspeaker.Play(event.GetReplyId(), event.GetFirstSample(), event.GetPcm())
	case *conversationv1.ReplyAudioEnded:
		c.Loudspeaker.End(event.GetReplyId())
	case *conversationv1.ReplyPaused:
		c.Loudspeaker.Pause()
	case *conversationv1.ReplyResumed:
		from := event.GetFromSample()
		if _, played := c.Loudspeaker.Played(); c.playedOn {
			// Who played on while the wire was cut is further than the server knows.
			from = max(from, played)
		}
		c.playedOn = false
		c.Loudspeaker.Resume(from)
	case *conversationv1.ReplyFinished:
		if event.GetOutcome() != conversationv1.ReplyOutcome_REPLY_OUTCOME_HEARD {
			c.Loudspeaker.Drop()
		}
	case *conversationv1.SessionStarted:
		c.playedOn = event.GetResumed()
		c.started.Store(event)
	case *conversationv1.AccessExpiring:
		c.running.Go(func() { c.renewAccess(ctx) })
	default:
	}
}

// report tells every 100 ms what was played, as long as it changes.
func (c *Conversation) report(ctx context.Context) {
	every := time.NewTicker(reportEvery)
	defer every.Stop()
	var toldID string
	var toldSamples int64
	for {
		select {
		case <-ctx.Done():
			return
		case <-every.C:
		}
		replyID, samples := c.Loudspeaker.Played()
		if replyID == "" || (replyID == toldID && samples == toldSamples) {
			continue
		}
		if c.wire.send(ctx, reporting(replyID, samples)) == nil {
			toldID, toldSamples = replyID, samples
		}
	}
}

// renewAccess brings a fresh token. Where there is none, the session ends by itself, and says why.
func (c *Conversation) renewAccess(ctx context.Context) {
	if token, err := c.fresh(ctx); err == nil {
		_ = c.wire.send(ctx, refreshing(token))
	}
}
