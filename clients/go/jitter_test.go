package vivavoce

import (
	"bytes"
	"testing"
)

// 20 ms.
var (
	oneFrame = bytes.Repeat([]byte{0x10, 0x20}, 480)
	silence  = make([]byte, 960)
)

func frames(count int) []byte { return bytes.Repeat(oneFrame, count) }

func pull(t *testing.T, buffer *JitterBuffer, samples int) []byte {
	t.Helper()
	pcm := bytes.Repeat([]byte{0xff}, samples*bytesPerSample)
	if got, err := buffer.Read(pcm); got != len(pcm) || err != nil {
		t.Fatalf("read %d of %d bytes: %v", got, len(pcm), err)
	}
	return pcm
}

func expect(t *testing.T, got, wanted []byte) {
	t.Helper()
	if !bytes.Equal(got, wanted) {
		t.Fatalf("got %x…, wanted %x…", got[:8], wanted[:8])
	}
}

func expectPlayed(t *testing.T, loudspeaker Loudspeaker, replyID string, samples int64) {
	t.Helper()
	if id, played := loudspeaker.Played(); id != replyID || played != samples {
		t.Fatalf("played %d of %q, wanted %d of %q", played, id, samples, replyID)
	}
}

func TestAReplyBeginsWhenFortyMillisecondsHaveGathered(t *testing.T) {
	buffer := NewJitterBuffer(OutputHz)
	buffer.Play("rep_1", 0, oneFrame)
	expect(t, pull(t, buffer, 480), silence)
	buffer.Play("rep_1", 480, oneFrame)
	expect(t, pull(t, buffer, 480), oneFrame)
	expectPlayed(t, buffer, "rep_1", 480)
}

func TestAShortReplyThatIsCompleteNeedNotGather(t *testing.T) {
	buffer := NewJitterBuffer(OutputHz)
	buffer.Play("rep_1", 0, oneFrame)
	buffer.End("rep_1")
	expect(t, pull(t, buffer, 480), oneFrame)
}

func TestAfterRunningDryItGathersMoreBeforeItGoesOn(t *testing.T) {
	buffer := NewJitterBuffer(OutputHz)
	buffer.Play("rep_1", 0, frames(2))
	expect(t, pull(t, buffer, 1440), append(frames(2), silence...))
	for place := range int64(3) {
		buffer.Play("rep_1", (place+2)*480, oneFrame)
		expect(t, pull(t, buffer, 480), silence)
	}
	buffer.Play("rep_1", 5*480, oneFrame)
	expect(t, pull(t, buffer, 480), oneFrame)
}

func TestAPauseIsSilenceAndTheReplyGoesOnAtTheSampleItIsTold(t *testing.T) {
	buffer := NewJitterBuffer(OutputHz)
	buffer.Play("rep_1", 0, frames(4))
	pull(t, buffer, 960)
	buffer.Pause()
	expect(t, pull(t, buffer, 480), silence)
	buffer.Resume(480)
	expect(t, pull(t, buffer, 480), oneFrame)
	expectPlayed(t, buffer, "rep_1", 960)
}

func TestWhatIsDroppedIsNeitherPlayedNorCounted(t *testing.T) {
	buffer := NewJitterBuffer(OutputHz)
	buffer.Play("rep_1", 0, frames(4))
	pull(t, buffer, 480)
	buffer.Drop()
	expect(t, pull(t, buffer, 480), silence)
	expectPlayed(t, buffer, "", 0)
}

func TestSoundThatComesAgainTakesItsOwnPlaceAndLostSoundIsSilence(t *testing.T) {
	buffer := NewJitterBuffer(OutputHz)
	buffer.Play("rep_1", 0, frames(3))
	buffer.Play("rep_1", 960, frames(2))
	buffer.Play("rep_1", 5*480, oneFrame)
	buffer.End("rep_1")
	expect(t, pull(t, buffer, 4*480), frames(4))
	expect(t, pull(t, buffer, 960), append(bytes.Clone(silence), oneFrame...))
}

func TestAnotherReplyTakesThePlaceOfTheOneBefore(t *testing.T) {
	buffer := NewJitterBuffer(OutputHz)
	buffer.Play("rep_1", 0, frames(4))
	pull(t, buffer, 480)
	buffer.Play("rep_2", 0, frames(2))
	expectPlayed(t, buffer, "rep_2", 0)
}
