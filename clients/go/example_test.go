package vivavoce_test

import (
	"context"
	"fmt"
	"log"

	vivavoce "vivavoce.example/go"
	conversationv1 "vivavoce.example/go/gen/vivavoce/conversation/v1"
)

// A program that orders tea in writing.
func Example() {
	ctx := context.Background()
	client, err := vivavoce.Dial("127.0.0.1:50051")
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	conversation, err := client.Talk(ctx, vivavoce.Talk{
		Settings:    &conversationv1.ConversationSettings{ScenarioId: "cafe"},
		Loudspeaker: &vivavoce.Reader{},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer conversation.Close()
	lines := []string{"A large tea, please.", "No, thank you."}
	for event, err := range conversation.Events() {
		if err != nil {
			log.Fatal(err)
		}
		reply, over := event.(*conversationv1.ReplyFinished)
		if !over {
			continue
		}
		fmt.Println("Tutor:", reply.GetHeardText())
		if len(lines) == 0 {
			err = conversation.End(ctx)
		} else {
			fmt.Println("You:  ", lines[0])
			err, lines = conversation.Write(ctx, lines[0]), lines[1:]
		}
		if err != nil {
			log.Fatal(err)
		}
	}
}
