package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	vivavoce "vivavoce.example/go"
	conversationv1 "vivavoce.example/go/gen/vivavoce/conversation/v1"
)

const (
	// So long the tutor may be silent before it is taken for the learner's turn.
	patience = 20 * time.Second
	goodbye  = 5 * time.Second
	// A learner who types may think for long; a client that says nothing is taken for gone.
	presence = 30 * time.Second
)

// hold says the turns, each after the answer to the one before, and shows what happens. It says goodbye when there are no
// more turns, when a microphone ends that is the standard input, or when the context is done.
func hold(
	ctx context.Context, conversation *vivavoce.Conversation, turns <-chan turn, speaker io.Reader, sound io.WriteCloser,
	show io.Writer,
) error {
	// The goodbye is said after an interrupt, too.
	going, stop := context.WithCancel(context.WithoutCancel(ctx))
	var running sync.WaitGroup
	if card, sounds := conversation.Loudspeaker.(*vivavoce.JitterBuffer); sounds {
		defer sound.Close()
		running.Go(func() { _ = play(going, card, sound, vivavoce.OutputHz) })
	}
	defer running.Wait()
	defer stop()
	spoken := make(chan error, 1)
	if speaker != nil {
		// Not waited for: nothing ends a read from a pipe.
		go func() {
			spoken <- conversation.Speak(going, &paced{source: speaker, rateHz: conversation.InputHz()})
		}()
	}
	return (&desk{conversation, speaker, turns, spoken, show}).sit(ctx, going)
}

// desk is where what happens is brought together.
type desk struct {
	conversation *vivavoce.Conversation
	speaker      io.Reader
	turns        <-chan turn
	spoken       <-chan error
	show         io.Writer
}

func (d *desk) sit(ctx, going context.Context) error {
	silent, present := time.NewTimer(patience), time.NewTicker(presence)
	defer present.Stop()
	events, interrupted := d.events(going), ctx.Done()
	// Nil while it is the tutor's turn.
	var ours <-chan turn
	begun := false
	for {
		select {
		case next, open := <-events:
			if errors.Is(next.err, context.Canceled) {
				return errors.New("the server did not answer the goodbye")
			}
			if !open || next.err != nil {
				return next.err
			}
			silent.Reset(patience)
			switch event := next.event.(type) {
			case *conversationv1.ReplyStarted:
				begun = true
			case *conversationv1.ReplyFinished:
				ours = d.turns
			case *conversationv1.ErrorRaised:
				// Such as a scenario nobody knows: there will be no talk.
				if failure := event.GetFailure(); !begun && !failure.GetRetryable() {
					d.leave(going)
					return vivavoce.ErrorOfFailure(failure)
				}
			}
			tell(d.show, next.event)
		case next, more := <-ours:
			ours = nil
			silent.Reset(patience)
			if !more {
				d.turns = nil
				d.leave(going)
			} else if err := next.say(going, d.conversation, d.speaker); err != nil {
				return err
			}
		case <-silent.C:
			if ours == nil && d.turns != nil {
				fmt.Fprintln(d.show, "       (the tutor says nothing)")
				ours = d.turns
			}
		case <-d.spoken:
			d.spoken = nil
			d.leave(going)
		case <-interrupted:
			interrupted = nil
			d.leave(going)
		case <-present.C:
			if err := d.conversation.Send(going, ping()); err != nil {
				return err
			}
		}
	}
}

// leave says goodbye; the events end then. Where nobody answers, they end as well.
func (d *desk) leave(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, goodbye)
	defer cancel()
	_ = d.conversation.End(ctx)
	time.AfterFunc(goodbye, d.conversation.Close)
}

type happened struct {
	event vivavoce.Event
	err   error
}

func (d *desk) events(ctx context.Context) <-chan happened {
	events := make(chan happened)
	go func() {
		defer close(events)
		for event, err := range d.conversation.Events() {
			select {
			case events <- happened{event, err}:
			case <-ctx.Done():
				return
			}
		}
	}()
	return events
}

func ping() *conversationv1.ConverseRequest {
	return &conversationv1.ConverseRequest{Event: &conversationv1.ConverseRequest_Ping{Ping: &conversationv1.Ping{}}}
}
