package vivavoce

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"strings"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	conversationv1 "vivavoce.example/go/gen/vivavoce/conversation/v1"
	typev1 "vivavoce.example/go/gen/vivavoce/type/v1"
)

// What was said in the last seconds is said again to a session that has not got it; it takes five at once.
const remembered = 4

// Pauses before each try to come back: half a minute, as long as a session waits for its client.
var comeBackAfter = []time.Duration{
	200 * time.Millisecond, 500 * time.Millisecond, time.Second, 2 * time.Second, 2 * time.Second, 3 * time.Second,
	5 * time.Second, 5 * time.Second, 5 * time.Second, 5 * time.Second,
}

// lasting is a wire for one session that is opened anew after a cut, and goes on where it was. While it is cut, sound is
// remembered, and who sends something else waits. receive is called by one goroutine, the rest by any.
type lasting struct {
	open  func(context.Context) (wire, error)
	renew func(context.Context) error
	start *conversationv1.StartSession

	// What follows belongs to the goroutine that receives.
	sessionID    string
	token        string
	lastSequence int64
	cutAt        int64

	// Held by who sends, so that sound keeps its order; never while waiting for the wire to come back.
	sending sync.Mutex
	recent  recent
	// A text that is not known to be taken.
	text *conversationv1.SubmitText

	mu   sync.Mutex
	wire wire
	// Closed while the session is there, and when it is given up.
	there chan struct{}
	lost  error
}

// newLasting opens nothing yet: begin does.
func newLasting(
	start *conversationv1.StartSession, open func(context.Context) (wire, error), renew func(context.Context) error,
) *lasting {
	l := &lasting{open: open, renew: renew, start: start, there: make(chan struct{})}
	l.recent.longest = remembered * int64(start.GetInputAudio().GetSampleRateHz())
	return l
}

// begin opens the wire in the first place, and gives the first response.
func (l *lasting) begin(ctx context.Context) (*conversationv1.ConverseResponse, error) {
	return l.noted(l.greeted(ctx))
}

// away says whether the wire is cut, and may come back.
func (l *lasting) away() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return !closed(l.there)
}

// say sends sound, or remembers it where the wire is cut.
func (l *lasting) say(pcm []byte) error {
	l.sending.Lock()
	defer l.sending.Unlock()
	l.try(sounding(l.recent.add(pcm)))
	return l.given()
}

// submit says something in writing, which is taken once however often it has to be sent; it returns when it was sent.
func (l *lasting) submit(ctx context.Context, text *conversationv1.SubmitText) error {
	if text.GetRequestId() == "" {
		text.RequestId = "req_" + strings.ToLower(rand.Text())
	}
	l.sending.Lock()
	l.text = text
	sent := l.try(writing(text))
	l.sending.Unlock()
	if sent {
		return nil
	}
	// Whoever comes back sends it.
	return l.wait(ctx)
}

// send sends anything else, once the wire is there.
func (l *lasting) send(ctx context.Context, request *conversationv1.ConverseRequest) error {
	for {
		if err := l.wait(ctx); err != nil {
			return err
		}
		l.sending.Lock()
		sent := l.try(request)
		l.sending.Unlock()
		if sent {
			return nil
		}
	}
}

// receive gives the next response, of whichever wire is open then; io.EOF when the session is over.
func (l *lasting) receive(ctx context.Context) (*conversationv1.ConverseResponse, error) {
	response, err := l.current().Receive()
	if err == nil && isDraining(response) {
		err = unreachable("The server was stopped, and no other took the talk over.")
	}
	if err != nil && isCut(err) && ctx.Err() == nil {
		response, err = l.comeBack(ctx, err)
	}
	if err != nil && ctx.Err() != nil {
		err = ctx.Err()
	}
	return l.noted(response, err)
}

func (l *lasting) close() {
	if wire := l.current(); wire != nil {
		wire.Close()
	}
}

// noted keeps what it takes to come back, or gives up.
func (l *lasting) noted(
	response *conversationv1.ConverseResponse, err error,
) (*conversationv1.ConverseResponse, error) {
	if err != nil {
		l.giveUp(err)
		return nil, err
	}
	l.note(response)
	return response, nil
}

func (l *lasting) note(response *conversationv1.ConverseResponse) {
	// A resumed session greets with 0.
	if sequence := response.GetSequence(); sequence > 0 {
		l.lastSequence = sequence
	}
	if started := response.GetSessionStarted(); started != nil {
		l.found(started)
	}
	if leaving := response.GetGoAway(); leaving.GetResumeToken() != "" {
		l.token = leaving.GetResumeToken()
	}
	if committed := response.GetTurnCommitted(); committed != nil {
		l.sending.Lock()
		if l.text != nil && committed.GetText() == strings.TrimSpace(l.text.GetText()) {
			l.text = nil
		}
		l.sending.Unlock()
	}
}

// found: the session is there, or there again; it is sent what it has not got.
func (l *lasting) found(started *conversationv1.SessionStarted) {
	l.sending.Lock()
	defer l.sending.Unlock()
	// Another one has got nothing, and wants what was said since the cut.
	from := l.cutAt
	if started.GetSessionId() == l.sessionID {
		from = started.GetNextInputSample()
	}
	l.sessionID, l.token = started.GetSessionId(), started.GetResumeToken()
	l.arrive()
	for _, piece := range l.recent.again(from, started.GetNextInputSample()) {
		l.try(sounding(piece))
	}
	if l.text != nil {
		l.try(writing(l.text))
	}
}

// comeBack opens the wire anew and resumes the session; it gives the greeting, or the cut where it can't in time.
func (l *lasting) comeBack(ctx context.Context, cut error) (*conversationv1.ConverseResponse, error) {
	// Who sends is woken by this.
	l.current().Close()
	l.leave(l.current())
	l.sending.Lock()
	l.cutAt = l.recent.next
	l.sending.Unlock()
	if l.token == "" {
		return nil, cut
	}
	for _, pause := range comeBackAfter {
		if err := sleep(ctx, pause); err != nil {
			return nil, err
		}
		greeting, err := l.greeted(ctx)
		if err == nil || !isCut(err) && !errors.Is(err, io.EOF) {
			return greeting, err
		}
	}
	return nil, cut
}

// greeted gives the server's first answer on a new wire. An access token that has expired meanwhile is renewed.
func (l *lasting) greeted(ctx context.Context) (*conversationv1.ConverseResponse, error) {
	greeting, err := l.first(ctx)
	if ReasonOf(err) == "TOKEN_INVALID" && l.renew(ctx) == nil {
		return l.first(ctx)
	}
	return greeting, err
}

func (l *lasting) first(ctx context.Context) (*conversationv1.ConverseResponse, error) {
	opened, err := l.open(ctx)
	if err != nil {
		return nil, err
	}
	l.take(opened)
	start := proto.Clone(l.start).(*conversationv1.StartSession)
	if l.token != "" {
		start.Target = &conversationv1.StartSession_Resume{
			Resume: &conversationv1.ResumeSession{ResumeToken: l.token, LastSequence: l.lastSequence},
		}
	}
	// Where it is refused, the response tells why.
	_ = opened.Send(starting(start))
	greeting, err := opened.Receive()
	if err != nil {
		opened.Close()
	}
	return greeting, err
}

// take puts a wire in place of the one before.
func (l *lasting) take(opened wire) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wire = opened
}

// try sends where the session is there; whoever receives finds out that it is not.
func (l *lasting) try(request *conversationv1.ConverseRequest) bool {
	l.mu.Lock()
	wire, there := l.wire, closed(l.there)
	l.mu.Unlock()
	if !there {
		return false
	}
	if wire.Send(request) != nil {
		l.leave(wire)
		return false
	}
	return true
}

// wait returns when the session is there.
func (l *lasting) wait(ctx context.Context) error {
	l.mu.Lock()
	there := l.there
	l.mu.Unlock()
	select {
	case <-there:
		return l.given()
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (l *lasting) current() wire {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.wire
}

// leave: this wire is cut, unless another is open by now.
func (l *lasting) leave(cut wire) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if cut == l.wire && closed(l.there) && l.lost == nil {
		l.there = make(chan struct{})
	}
}

func (l *lasting) arrive() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !closed(l.there) {
		close(l.there)
	}
}

// giveUp lets go whoever waits.
func (l *lasting) giveUp(err error) {
	if errors.Is(err, io.EOF) {
		err = unreachable("The session is over.")
	}
	l.mu.Lock()
	l.lost = err
	l.mu.Unlock()
	l.arrive()
}

func (l *lasting) given() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lost
}

func isDraining(response *conversationv1.ConverseResponse) bool {
	return response.GetSessionEnded().GetFailure().GetReason() == typev1.ErrorReason_ERROR_REASON_DRAINING
}

func closed(signal <-chan struct{}) bool {
	select {
	case <-signal:
		return true
	default:
		return false
	}
}

func sleep(ctx context.Context, pause time.Duration) error {
	select {
	case <-time.After(pause):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
