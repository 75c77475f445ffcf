package store

import (
	"fmt"

	"github.com/klauspost/compress/zstd"
)

// evidenceMost bounds a message's head, and what unpacking it may take.
const evidenceMost = 1 << 20

// PackEvidence compresses the head of a message, the first MiB at most, for
// Record.Evidence. It is meant to run in the session's own goroutine, not in the
// writer's.
func PackEvidence(head []byte) []byte {
	head = head[:min(len(head), evidenceMost)]
	return packer.EncodeAll(head, make([]byte, 0, len(head)/3))
}

// packer has no state between calls of EncodeAll and is safe for all at once.
var packer = newPacker()

func newPacker() *zstd.Encoder {
	e, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest),
		zstd.WithEncoderCRC(false), zstd.WithWindowSize(256<<10))
	if err != nil {
		panic(err) // the options are constants
	}
	return e
}

func unpackEvidence(b []byte) ([]byte, error) {
	d, err := newUnpacker()
	if err != nil {
		return nil, err
	}
	defer d.Close()
	return unpackWith(d, b)
}

func newUnpacker() (*zstd.Decoder, error) {
	return zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(evidenceMost))
}

func unpackWith(d *zstd.Decoder, b []byte) ([]byte, error) {
	head, err := d.DecodeAll(b, nil)
	if err != nil {
		return nil, fmt.Errorf("unpack evidence: %w: %w", err, ErrDamaged)
	}
	return head, nil
}
