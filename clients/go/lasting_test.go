package vivavoce

import (
	"context"
	"io"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	conversationv1 "vivavoce.example/go/gen/vivavoce/conversation/v1"
	typev1 "vivavoce.example/go/gen/vivavoce/type/v1"
)

func TestAfterACutTheSessionGoesOnFromTheLastEventAndSampleTheOtherSideHas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first := newScriptedWire().tell(started("ses_1", 0), replyAudio(7, 0, oneFrame))
		second := newScriptedWire().tell(started("ses_1", 320))
		line := &scripted{wires: []*scriptedWire{first, second}}
		conversation := line.hold(t.Context(), t)
		for range 2 {
			_ = conversation.Say(make([]byte, 640))
		}
		synctest.Wait()
		first.fail(unreachable("The wire is cut."))
		synctest.Wait()
		if !conversation.Away() {
			t.Fatal("it does not know that it is cut")
		}
		_ = conversation.Say(make([]byte, 640))
		time.Sleep(time.Second)

		sent := second.requests()
		resume := sent[0].GetStartSession().GetResume()
		if resume.GetResumeToken() != "resume_ses_1" || resume.GetLastSequence() != 7 {
			t.Fatalf("resumed by %v", resume)
		}
		if got := positions(sent); !slices.Equal(got, []int64{320, 640}) {
			t.Fatalf("sound was sent again at %v", got)
		}
		if !conversation.Started().GetResumed() || conversation.Away() {
			t.Fatal("it is not told as resumed")
		}
	})
}

func TestAnotherProcessIsSentWhatWasSaidSinceTheCutOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first := newScriptedWire().tell(started("ses_1", 0))
		second := newScriptedWire().tell(started("ses_2", 0))
		line := &scripted{wires: []*scriptedWire{first, second}}
		conversation := line.hold(t.Context(), t)
		_ = conversation.Say(make([]byte, 640))
		synctest.Wait()
		first.fail(unreachable("The wire is cut."))
		synctest.Wait()
		_ = conversation.Say(make([]byte, 320))
		time.Sleep(time.Second)
		if got := positions(second.requests()); !slices.Equal(got, []int64{0}) {
			t.Fatalf("sound was sent at %v", got)
		}
	})
}

func TestATextThatWasUnderWayIsSentAgainUnderTheSameIDUntilItIsTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first, second, third := newScriptedWire().tell(started("ses_1", 0)), newScriptedWire(), newScriptedWire()
		line := &scripted{wires: []*scriptedWire{first, second.tell(started("ses_1", 0)), third.tell(started("ses_1", 0))}}
		conversation := line.hold(t.Context(), t)
		if err := conversation.Write(t.Context(), " A tea, please. "); err != nil {
			t.Fatal(err)
		}
		first.fail(unreachable("The wire is cut."))
		time.Sleep(time.Second)
		again := second.requests()[1].GetSubmitText()
		if again.GetRequestId() == "" || again.GetRequestId() != first.requests()[1].GetSubmitText().GetRequestId() {
			t.Fatalf("sent again as %v", again)
		}
		second.tell(&conversationv1.ConverseResponse{Sequence: 3, Event: &conversationv1.ConverseResponse_TurnCommitted{
			TurnCommitted: &conversationv1.TurnCommitted{Text: "A tea, please."},
		}})
		second.fail(unreachable("The wire is cut."))
		time.Sleep(time.Second)
		if sent := third.requests(); len(sent) != 1 {
			t.Fatalf("what was taken was sent again: %v", sent)
		}
	})
}

func TestWhoSendsWhileItIsCutWaitsUntilItIsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first, second := newScriptedWire().tell(started("ses_1", 0)), newScriptedWire().tell(started("ses_1", 0))
		line := &scripted{wires: []*scriptedWire{first, second}}
		conversation := line.hold(t.Context(), t)
		first.fail(unreachable("The wire is cut."))
		synctest.Wait()
		began := time.Now()
		if err := conversation.Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
		if waited := time.Since(began); waited != comeBackAfter[0] {
			t.Fatalf("it waited for %v", waited)
		}
		if second.requests()[1].GetCommitTurn() == nil {
			t.Fatal("it was not sent")
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		second.fail(unreachable("The wire is cut."))
		synctest.Wait()
		if err := conversation.Commit(ctx); err != context.Canceled {
			t.Fatalf("who no longer waits is told %v", err)
		}
	})
}

func TestItIsGivenUpAfterHalfAMinuteWithWhatCutIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first := newScriptedWire().tell(started("ses_1", 0)).fail(unreachable("The wire is cut."))
		began := time.Now()
		conversation := (&scripted{wires: []*scriptedWire{first}}).hold(t.Context(), t)
		var last error
		for _, err := range conversation.Events() {
			last = err
		}
		if ReasonOf(last) != "SERVICE_UNAVAILABLE" {
			t.Fatalf("it ended with %v", last)
		}
		if lasted := time.Since(began); lasted < 25*time.Second || lasted > 35*time.Second {
			t.Fatalf("it was given up after %v", lasted)
		}
		if err := conversation.Say(oneFrame); ReasonOf(err) != "SERVICE_UNAVAILABLE" {
			t.Fatalf("who speaks on is told %v", err)
		}
	})
}

func TestASessionThatCanNotBeResumedIsToldAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first := newScriptedWire().tell(started("ses_1", 0)).fail(unreachable("The wire is cut."))
		second := newScriptedWire().fail(&Error{Message: "It can't be resumed.", Reason: "NOT_RESUMABLE"})
		line := &scripted{wires: []*scriptedWire{first, second, newScriptedWire()}}
		var last error
		for _, err := range line.hold(t.Context(), t).Events() {
			last = err
		}
		if ReasonOf(last) != "NOT_RESUMABLE" || line.opened != 2 {
			t.Fatalf("after %d wires it ended with %v", line.opened, last)
		}
	})
}

func TestATokenThatExpiredDuringTheCutIsRenewed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first := newScriptedWire().tell(started("ses_1", 0)).fail(unreachable("The wire is cut."))
		second := newScriptedWire().fail(&Error{Message: "It has expired.", Reason: "TOKEN_INVALID"})
		third := newScriptedWire().tell(started("ses_1", 0))
		line := &scripted{wires: []*scriptedWire{first, second, third}}
		conversation := line.hold(t.Context(), t)
		time.Sleep(time.Second)
		synctest.Wait()
		if line.renewed != 1 || conversation.Away() {
			t.Fatalf("renewed %d times, away: %v", line.renewed, conversation.Away())
		}
	})
}

func TestATokenThatExpiredBeforeTheTalkIsRenewed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first := newScriptedWire().fail(&Error{Message: "It has expired.", Reason: "TOKEN_INVALID"})
		line := &scripted{wires: []*scriptedWire{first, newScriptedWire().tell(started("ses_1", 0))}}
		conversation := line.hold(t.Context(), t)
		if line.renewed != 1 || conversation.Away() {
			t.Fatalf("renewed %d times, away: %v", line.renewed, conversation.Away())
		}
	})
}

func TestAServerThatStopsIsLeftForAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		draining := &typev1.Failure{Reason: typev1.ErrorReason_ERROR_REASON_DRAINING}
		first := newScriptedWire().tell(started("ses_1", 0), &conversationv1.ConverseResponse{
			Event: &conversationv1.ConverseResponse_GoAway{
				GoAway: &conversationv1.GoAway{ResumeToken: "elsewhere"},
			},
		}, &conversationv1.ConverseResponse{
			Event: &conversationv1.ConverseResponse_SessionEnded{
				SessionEnded: &conversationv1.SessionEnded{Failure: draining},
			},
		})
		second := newScriptedWire().tell(started("ses_2", 0)).fail(io.EOF)
		var events []Event
		for event, err := range (&scripted{wires: []*scriptedWire{first, second}}).hold(t.Context(), t).Events() {
			if err != nil {
				t.Fatal(err)
			}
			events = append(events, event)
		}
		if len(events) != 3 || events[2].(*conversationv1.SessionStarted).GetSessionId() != "ses_2" {
			t.Fatalf("it told %v", events)
		}
		if by := second.requests()[0].GetStartSession().GetResume().GetResumeToken(); by != "elsewhere" {
			t.Fatalf("it came back by %q", by)
		}
	})
}
