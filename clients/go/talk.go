package vivavoce

import (
	"context"
	"errors"
	"io"
	"time"

	conversationv1 "vivavoce.example/go/gen/vivavoce/conversation/v1"
	typev1 "vivavoce.example/go/gen/vivavoce/type/v1"
)

const (
	// DefaultInputHz is the rate of the learner's sound, unless Talk says otherwise.
	DefaultInputHz = 16_000
	// OutputHz is the rate of the tutor's sound.
	OutputHz = 24_000
	// Events that wait for the program; a program that takes none makes the conversation stand still.
	waiting     = 1000
	openTimeout = 20 * time.Second
)

// Talk says which conversation to hold, and how.
type Talk struct {
	// Settings are those of a new conversation; nil leaves everything to the learner's profile.
	Settings *conversationv1.ConversationSettings
	// ConversationID goes on with an earlier one instead.
	ConversationID string
	// InputHz is the rate of the learner's sound; 0 is DefaultInputHz.
	InputHz int
	// Loudspeaker plays replies; nil is a JitterBuffer at OutputHz, from which the program reads.
	Loudspeaker Loudspeaker
}

// Talk opens a session, and holds it until the conversation is closed, the session is over, or the context is done.
func (c *Client) Talk(ctx context.Context, talk Talk) (*Conversation, error) {
	ctx, cancel := context.WithCancel(ctx)
	wire := newLasting(c.starting(talk), c.openWire, c.renew)
	loudspeaker := talk.Loudspeaker
	if loudspeaker == nil {
		loudspeaker = NewJitterBuffer(OutputHz)
	}
	held := newConversation(cancel, wire, loudspeaker, c.fresh)
	// A server that says nothing is none.
	overdue := time.AfterFunc(openTimeout, wire.close)
	first, err := wire.begin(ctx)
	if !overdue.Stop() {
		err = unreachable("The server did not open the session in time; try again.")
	}
	if err != nil {
		held.Close()
		if errors.Is(err, io.EOF) {
			err = unreachable("The server ended the session before it began; try again.")
		}
		return nil, err
	}
	held.begin(ctx, first)
	return held, nil
}

func (c *Client) starting(talk Talk) *conversationv1.StartSession {
	inputHz := talk.InputHz
	if inputHz == 0 {
		inputHz = DefaultInputHz
	}
	start := &conversationv1.StartSession{Client: c.name, InputAudio: pcmAt(inputHz), OutputAudio: pcmAt(OutputHz)}
	if talk.ConversationID != "" {
		start.Target = &conversationv1.StartSession_ConversationId{ConversationId: talk.ConversationID}
		return start
	}
	settings := talk.Settings
	if settings == nil {
		settings = &conversationv1.ConversationSettings{}
	}
	start.Target = &conversationv1.StartSession_NewConversation{NewConversation: settings}
	return start
}

// fresh gives a token that holds for a while again.
func (c *Client) fresh(ctx context.Context) (string, error) {
	used, err := c.access.current(ctx)
	if err != nil {
		return "", err
	}
	return c.access.renew(ctx, used)
}

func (c *Client) renew(ctx context.Context) error {
	_, err := c.fresh(ctx)
	return err
}

func pcmAt(rateHz int) *typev1.AudioFormat {
	return &typev1.AudioFormat{
		Encoding:     typev1.AudioEncoding_AUDIO_ENCODING_PCM_S16LE,
		SampleRateHz: int32(rateHz),
	}
}
