package main

import (
	"fmt"
	"io"

	vivavoce "vivavoce.example/go"
	conversationv1 "vivavoce.example/go/gen/vivavoce/conversation/v1"
)

// tell writes down what people want to read of an event.
func tell(show io.Writer, event vivavoce.Event) {
	switch event := event.(type) {
	case *conversationv1.SessionStarted:
		if event.GetResumed() {
			fmt.Fprintln(show, "       (the connection was lost; the talk goes on)")
		}
	case *conversationv1.TurnCommitted:
		fmt.Fprintf(show, "You:   %s\n", event.GetText())
	case *conversationv1.ReplyFinished:
		broken := ""
		if event.GetOutcome() == conversationv1.ReplyOutcome_REPLY_OUTCOME_INTERRUPTED {
			broken = " (interrupted)"
		}
		fmt.Fprintf(show, "Tutor: %s%s\n", event.GetHeardText(), broken)
	case *conversationv1.FeedbackGiven:
		if slip := event.GetCorrection(); slip != nil {
			fmt.Fprintf(show, "       better: %s\n", slip.GetBetter())
		}
	case *conversationv1.ErrorRaised:
		fmt.Fprintf(show, "       (%s)\n", event.GetFailure().GetMessage())
	default:
	}
}
