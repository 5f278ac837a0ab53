package vivavoce

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	conversationv1 "vivavoce.example/go/gen/vivavoce/conversation/v1"
	typev1 "vivavoce.example/go/gen/vivavoce/type/v1"
)

func TestWhatWasPlayedIsReportedTenTimesASecondAndOnlyWhereItChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wire := newScriptedWire().tell(started("ses_1", 0), replyAudio(2, 0, frames(50)))
		conversation := (&scripted{wires: []*scriptedWire{wire}}).hold(t.Context(), t)
		synctest.Wait()
		for range 10 {
			pull(t, conversation.Loudspeaker.(*JitterBuffer), 480)
			time.Sleep(20 * time.Millisecond)
		}
		time.Sleep(time.Second)
		var reported []int64
		for _, request := range wire.requests() {
			if played := request.GetReportPlayed(); played != nil {
				reported = append(reported, played.GetSamples())
			}
		}
		if len(reported) < 2 || len(reported) > 3 || reported[len(reported)-1] != 4800 {
			t.Fatalf("reported %v", reported)
		}
	})
}

func TestAnInterruptionStopsTheLoudspeakerAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wire := newScriptedWire().tell(started("ses_1", 0), replyAudio(2, 0, frames(50)))
		conversation := (&scripted{wires: []*scriptedWire{wire}}).hold(t.Context(), t)
		synctest.Wait()
		card := conversation.Loudspeaker.(*JitterBuffer)
		expect(t, pull(t, card, 480), oneFrame)
		wire.tell(&conversationv1.ConverseResponse{Sequence: 3, Event: &conversationv1.ConverseResponse_ReplyPaused{
			ReplyPaused: &conversationv1.ReplyPaused{ReplyId: "rep_1"},
		}})
		synctest.Wait()
		expect(t, pull(t, card, 480), silence)
		wire.tell(&conversationv1.ConverseResponse{Sequence: 4, Event: &conversationv1.ConverseResponse_ReplyFinished{
			ReplyFinished: &conversationv1.ReplyFinished{
				ReplyId: "rep_1", Outcome: conversationv1.ReplyOutcome_REPLY_OUTCOME_INTERRUPTED,
			},
		}})
		synctest.Wait()
		expectPlayed(t, card, "", 0)
	})
}

func TestAReplyThatWasPlayedOnDuringACutGoesOnWhereItWasHeard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first := newScriptedWire().tell(started("ses_1", 0), replyAudio(2, 0, frames(50)))
		resumed := started("ses_1", 320)
		second := newScriptedWire().tell(resumed, &conversationv1.ConverseResponse{
			Sequence: 3, Event: &conversationv1.ConverseResponse_ReplyResumed{
				ReplyResumed: &conversationv1.ReplyResumed{ReplyId: "rep_1", FromSample: 480},
			},
		})
		conversation := (&scripted{wires: []*scriptedWire{first, second}}).hold(t.Context(), t)
		synctest.Wait()
		card := conversation.Loudspeaker.(*JitterBuffer)
		first.fail(unreachable("The wire is cut."))
		synctest.Wait()
		pull(t, card, 960)
		time.Sleep(time.Second)
		expectPlayed(t, card, "rep_1", 960)
	})
}

func TestAccessThatExpiresIsRenewedInTheTalk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wire := newScriptedWire().tell(started("ses_1", 0), &conversationv1.ConverseResponse{
			Sequence: 2, Event: &conversationv1.ConverseResponse_AccessExpiring{
				AccessExpiring: &conversationv1.AccessExpiring{},
			},
		})
		(&scripted{wires: []*scriptedWire{wire}}).hold(t.Context(), t)
		synctest.Wait()
		sent := wire.requests()
		if sent[len(sent)-1].GetRefreshAccess().GetAccessToken() != "fresh" {
			t.Fatalf("it sent %v", sent)
		}
	})
}

func TestASessionThatEndsWithAFailureEndsWithItsReason(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		failure := &typev1.Failure{Reason: typev1.ErrorReason_ERROR_REASON_IDLE, Message: "Nothing was said."}
		wire := newScriptedWire().tell(started("ses_1", 0), &conversationv1.ConverseResponse{
			Sequence: 2, Event: &conversationv1.ConverseResponse_SessionEnded{
				SessionEnded: &conversationv1.SessionEnded{Failure: failure},
			},
		})
		var last error
		for _, err := range (&scripted{wires: []*scriptedWire{wire}}).hold(t.Context(), t).Events() {
			last = err
		}
		var told *Error
		if !errors.As(last, &told) || told.Reason != "IDLE" || told.Message != "Nothing was said." {
			t.Fatalf("it ended with %v", last)
		}
	})
}

func TestAnEventOfALaterContractIsPassedOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		later := &conversationv1.ConverseResponse{Sequence: 2}
		wire := newScriptedWire().tell(started("ses_1", 0), later, replyAudio(3, 0, oneFrame)).fail(io.EOF)
		count := 0
		for range (&scripted{wires: []*scriptedWire{wire}}).hold(t.Context(), t).Events() {
			count++
		}
		if count != 2 {
			t.Fatalf("%d events were told", count)
		}
	})
}

func TestAMicrophoneIsSentInPiecesOfTwentyMilliseconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wire := newScriptedWire().tell(started("ses_1", 0))
		conversation := (&scripted{wires: []*scriptedWire{wire}}).hold(t.Context(), t)
		if err := conversation.Speak(t.Context(), bytes.NewReader(make([]byte, 1601))); err != nil {
			t.Fatal(err)
		}
		got := positions(wire.requests())
		if len(got) != 3 || got[2] != 640 {
			t.Fatalf("it was sent at %v", got)
		}
	})
}

func TestTheEventsEndWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wire := newScriptedWire().tell(started("ses_1", 0))
		ctx, cancel := context.WithCancel(t.Context())
		conversation := (&scripted{wires: []*scriptedWire{wire}}).hold(ctx, t)
		synctest.Wait()
		// As gRPC does, whose streams end with their context.
		cancel()
		wire.Close()
		var last error
		for _, err := range conversation.Events() {
			last = err
		}
		if !errors.Is(last, context.Canceled) {
			t.Fatalf("they ended with %v", last)
		}
	})
}
