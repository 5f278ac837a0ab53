package main

import (
	"bufio"
	"context"
	"io"
	"strings"

	vivavoce "vivavoce.example/go"
)

// turn is something to say: sound, or else a line.
type turn struct {
	pcm  []byte
	line string
}

func (t turn) say(ctx context.Context, conversation *vivavoce.Conversation, speaker io.Reader) error {
	if recorded, speaks := speaker.(*microphone); speaks && t.pcm != nil {
		recorded.say(t.pcm)
		return nil
	}
	return conversation.Write(ctx, t.line)
}

// given are recordings and then lines of the command line.
func given(recordings []recording, lines []string) <-chan turn {
	turns := make(chan turn, len(recordings)+len(lines))
	for _, each := range recordings {
		turns <- turn{pcm: each.pcm}
	}
	for _, line := range lines {
		turns <- turn{line: line}
	}
	close(turns)
	return turns
}

// typed are lines as they come, without empty ones; its goroutine lasts as long as the program, for nothing ends a read.
func typed(from io.Reader) <-chan turn {
	turns := make(chan turn)
	go func() {
		defer close(turns)
		lines := bufio.NewScanner(from)
		for lines.Scan() {
			if line := strings.TrimSpace(lines.Text()); line != "" {
				turns <- turn{line: line}
			}
		}
	}()
	return turns
}
