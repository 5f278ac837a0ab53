// Command vivatalk talks with a Vivavoce server: by recordings, by typed lines, or with raw sound on its standard input
// and output.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	vivavoce "vivavoce.example/go"
	conversationv1 "vivavoce.example/go/gen/vivavoce/conversation/v1"
)

const usage = `vivatalk talks with a Vivavoce server.

  vivatalk                                   reads lines to say from the standard input
  vivatalk --text "A tea, please."           says lines in writing
  vivatalk --wav question.wav --out reply.wav
  arecord -q -t raw -f S16_LE -r 16000 | vivatalk --raw | aplay -q -t raw -f S16_LE -r 24000

With --raw it takes the microphone's samples from its standard input and gives the loudspeaker's on its standard output:
16 bits, little-endian, one channel, 16 kHz in and 24 kHz out. It brings no driver of a sound card.

`

// options are what the command line said.
type options struct {
	address, token, scenario, ca, out string
	tls, raw                          bool
	wavs, texts                       list
}

// list is a flag that may be given several times.
type list []string

func (l *list) String() string { return strings.Join(*l, ", ") }

func (l *list) Set(value string) error {
	*l = append(*l, value)
	return nil
}

func main() {
	var chosen options
	flags := flag.NewFlagSet("vivatalk", flag.ExitOnError)
	flags.Usage = func() {
		fmt.Fprint(flags.Output(), usage)
		flags.PrintDefaults()
	}
	flags.StringVar(&chosen.address, "address", "127.0.0.1:50051", "the server, host:port")
	flags.StringVar(&chosen.token, "token", "", "an access token, or a personal one (vvk_…); a guest without")
	flags.StringVar(&chosen.scenario, "scenario", "", "a role-play, such as cafe")
	flags.BoolVar(&chosen.tls, "tls", false, "check the server against the roots of this machine")
	flags.StringVar(&chosen.ca, "ca", "", "check the server against the authorities in this file, PEM, instead")
	flags.BoolVar(&chosen.raw, "raw", false, "sound on standard input and output")
	flags.StringVar(&chosen.out, "out", "", "a WAV file for what the tutor says")
	flags.Var(&chosen.wavs, "wav", "a recording to say; may be given several times")
	flags.Var(&chosen.texts, "text", "a line to say in writing; may be given several times")
	_ = flags.Parse(os.Args[1:])
	if err := talk(chosen); err != nil {
		fmt.Fprintln(os.Stderr, "vivatalk:", err)
		os.Exit(1)
	}
}

// talk holds one conversation.
func talk(chosen options) error {
	turns, rateHz, err := toSay(chosen)
	if err != nil {
		return err
	}
	loudspeaker, sound, err := toHear(chosen)
	if err != nil {
		return err
	}
	reach, err := clientOptions(chosen)
	if err != nil {
		return err
	}
	client, err := vivavoce.Dial(chosen.address, reach...)
	if err != nil {
		return err
	}
	defer client.Close()
	// Not that of the talk, which says goodbye after an interrupt.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	conversation, err := client.Talk(context.Background(), vivavoce.Talk{
		Settings:    &conversationv1.ConversationSettings{ScenarioId: chosen.scenario},
		InputHz:     rateHz,
		Loudspeaker: loudspeaker,
	})
	if err != nil {
		return err
	}
	defer conversation.Close()
	return hold(ctx, conversation, turns, source(chosen), sound, shown(chosen.raw))
}

// toSay gives the turns in their order, and the rate of their sound.
func toSay(chosen options) (<-chan turn, int, error) {
	recordings := make([]recording, len(chosen.wavs))
	rateHz := vivavoce.DefaultInputHz
	for number, path := range chosen.wavs {
		var err error
		if recordings[number], err = readWAV(path); err != nil {
			return nil, 0, err
		}
		if rateHz = recordings[0].rateHz; recordings[number].rateHz != rateHz {
			return nil, 0, fmt.Errorf("%s has another rate than %s; bring them to one", path, chosen.wavs[0])
		}
	}
	switch {
	case chosen.raw && len(chosen.wavs)+len(chosen.texts) > 0:
		return nil, 0, fmt.Errorf("--raw speaks by the standard input; leave out --wav and --text")
	case chosen.raw:
		return nil, rateHz, nil
	case len(chosen.wavs)+len(chosen.texts) > 0:
		return given(recordings, chosen.texts), rateHz, nil
	default:
		return typed(os.Stdin), rateHz, nil
	}
}

// toHear gives what plays replies, and where its sound goes; nil where it goes nowhere.
func toHear(chosen options) (vivavoce.Loudspeaker, io.WriteCloser, error) {
	switch {
	case chosen.raw && chosen.out != "":
		return nil, nil, fmt.Errorf("--raw gives the sound on the standard output; leave out --out")
	case chosen.raw:
		return vivavoce.NewJitterBuffer(vivavoce.OutputHz), os.Stdout, nil
	case chosen.out != "":
		file, err := createWAV(chosen.out, vivavoce.OutputHz)
		return vivavoce.NewJitterBuffer(vivavoce.OutputHz), file, err
	case len(chosen.wavs) > 0:
		return vivavoce.NewJitterBuffer(vivavoce.OutputHz), nothing{}, nil
	default:
		return &vivavoce.Reader{}, nil, nil
	}
}

// source gives what a microphone captures; nil where nobody speaks.
func source(chosen options) io.Reader {
	switch {
	case chosen.raw:
		return os.Stdin
	case len(chosen.wavs) > 0:
		return &microphone{}
	default:
		return nil
	}
}

// shown is where people read: the standard output, unless that is for sound.
func shown(raw bool) io.Writer {
	if raw {
		return os.Stderr
	}
	return os.Stdout
}

// nothing is where sound goes that nobody wants.
type nothing struct{}

func (nothing) Write(pcm []byte) (int, error) { return len(pcm), nil }
func (nothing) Close() error                  { return nil }
