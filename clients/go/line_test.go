package vivavoce

import (
	"context"
	"slices"
	"sync"
	"testing"

	"google.golang.org/grpc/codes"

	conversationv1 "vivavoce.example/go/gen/vivavoce/conversation/v1"
)

// scriptedWire is a wire whose other end is the test.
type scriptedWire struct {
	responses chan scriptedResponse
	closed    chan struct{}
	once      sync.Once
	mu        sync.Mutex
	sent      []*conversationv1.ConverseRequest
}

type scriptedResponse struct {
	response *conversationv1.ConverseResponse
	err      error
}

func newScriptedWire() *scriptedWire {
	return &scriptedWire{responses: make(chan scriptedResponse, 100), closed: make(chan struct{})}
}

func (w *scriptedWire) Send(request *conversationv1.ConverseRequest) error {
	if closed(w.closed) {
		return unreachable("The wire is cut.")
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sent = append(w.sent, request)
	return nil
}

func (w *scriptedWire) Receive() (*conversationv1.ConverseResponse, error) {
	select {
	case next := <-w.responses:
		return next.response, next.err
	case <-w.closed:
		return nil, &Error{Message: "The wire is cut.", Reason: "SERVICE_UNAVAILABLE", Code: codes.Canceled}
	}
}

func (w *scriptedWire) Close() { w.once.Do(func() { close(w.closed) }) }

// tell lets the server say something.
func (w *scriptedWire) tell(responses ...*conversationv1.ConverseResponse) *scriptedWire {
	for _, response := range responses {
		w.responses <- scriptedResponse{response: response}
	}
	return w
}

// fail ends the wire.
func (w *scriptedWire) fail(err error) *scriptedWire {
	w.responses <- scriptedResponse{err: err}
	return w
}

// requests are those that came.
func (w *scriptedWire) requests() []*conversationv1.ConverseRequest {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.sent)
}

// started greets on a wire.
func started(sessionID string, nextInputSample int64) *conversationv1.ConverseResponse {
	return &conversationv1.ConverseResponse{Event: &conversationv1.ConverseResponse_SessionStarted{
		SessionStarted: &conversationv1.SessionStarted{
			SessionId: sessionID, ResumeToken: "resume_" + sessionID, NextInputSample: nextInputSample,
			Resumed: nextInputSample > 0,
		},
	}}
}

func replyAudio(sequence, firstSample int64, pcm []byte) *conversationv1.ConverseResponse {
	return &conversationv1.ConverseResponse{Sequence: sequence, Event: &conversationv1.ConverseResponse_ReplyAudio{
		ReplyAudio: &conversationv1.ReplyAudio{ReplyId: "rep_1", FirstSample: firstSample, Pcm: pcm},
	}}
}

// scripted opens one wire after the other, and fails where there is none left.
type scripted struct {
	wires   []*scriptedWire
	opened  int
	renewed int
}

func (s *scripted) open(context.Context) (wire, error) {
	if s.opened == len(s.wires) {
		return nil, unreachable("Nobody is there.")
	}
	s.opened++
	return s.wires[s.opened-1], nil
}

func (s *scripted) renew(context.Context) error {
	s.renewed++
	return nil
}

// hold opens a session on the wires, whose first has greeted.
func (s *scripted) hold(ctx context.Context, t *testing.T) *Conversation {
	t.Helper()
	ctx, cancel := context.WithCancel(ctx)
	start := &conversationv1.StartSession{InputAudio: pcmAt(DefaultInputHz), OutputAudio: pcmAt(OutputHz)}
	wire := newLasting(start, s.open, s.renew)
	held := newConversation(cancel, wire, NewJitterBuffer(OutputHz), func(context.Context) (string, error) { return "fresh", nil })
	first, err := wire.begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	held.begin(ctx, first)
	t.Cleanup(held.Close)
	return held
}

// positions are those of the sound among requests, in samples.
func positions(requests []*conversationv1.ConverseRequest) []int64 {
	var found []int64
	for _, request := range requests {
		if audio := request.GetAppendAudio(); audio != nil {
			found = append(found, audio.GetFirstSample())
		}
	}
	return found
}
