"""The device's side of the loudspeaker, without a device."""

from cli.talking.devices import DeviceLoudspeaker

LOUD = b"\x10\x20" * 480


def test_the_device_gets_what_is_queued_and_silence_after_it() -> None:
    loudspeaker = DeviceLoudspeaker()
    device = loudspeaker.pull()
    next(device)
    loudspeaker.play("rep_1", 0, LOUD)
    assert device.send(240) == LOUD[:480]
    assert device.send(480) == LOUD[480:] + bytes(480)
    assert loudspeaker.played() == ("rep_1", 480)


def test_a_pause_is_silence_and_the_reply_goes_on_where_it_is_told() -> None:
    loudspeaker = DeviceLoudspeaker()
    device = loudspeaker.pull()
    next(device)
    loudspeaker.play("rep_1", 0, LOUD)
    device.send(240)
    loudspeaker.pause()
    assert device.send(100) == bytes(200)
    loudspeaker.resume(200)
    assert device.send(40) == LOUD[400:480]
    assert loudspeaker.played() == ("rep_1", 240)


def test_after_a_drop_the_device_gets_silence() -> None:
    loudspeaker = DeviceLoudspeaker()
    device = loudspeaker.pull()
    next(device)
    loudspeaker.play("rep_1", 0, LOUD)
    loudspeaker.drop()
    assert device.send(240) == bytes(480)
