package store

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"net/netip"

	"github.com/trapline/trapline/criteria"
)

// Record is one accepted message: the hit that the rules read and what else
// the operator may want to know. A Record without a Source is unattributed; it
// is shown and lists nobody.
type Record struct {
	criteria.Hit
	Reason     string // why the walk through the Received lines stopped
	Peer       netip.AddrPort
	Helo       string
	MailFrom   string
	TLS        string
	Protocol   string
	Size       int64 // bytes of the whole message
	Inbox      bool  // mail to postmaster or abuse: kept, never counted
	Recipients []Recipient
	Evidence   []byte // the head of the message; readers of the log leave it out
}

// Recipient is one address that the message was taken for, and what it was
// worth at that moment.
type Recipient struct {
	Address string
	Kind    string // pristine, recycled, typo; reporter; mailbox
	State   string // active, watching
	Weight  criteria.Micro
}

var errUnpack = fmt.Errorf("record does not unpack: %w", ErrDamaged)

// schema is the version of all layouts; a store of a later one is not touched.
const schema = 1

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// seal completes a value: version before it, checksum behind.
func seal(bucket, key, content []byte) []byte {
	b := make([]byte, 0, len(content)+5)
	b = append(append(b, schema), content...)
	return binary.BigEndian.AppendUint32(b, checksum(bucket, key, b))
}

func checksum(parts ...[]byte) uint32 {
	var sum uint32
	for _, p := range parts {
		sum = crc32.Update(sum, castagnoli, p)
	}
	return sum
}

// unseal gives the content of a value. It shares the value's memory.
func unseal(bucket, key, value []byte) ([]byte, error) {
	if len(value) < 5 {
		return nil, fmt.Errorf("value of %d bytes: %w", len(value), ErrDamaged)
	}
	body, sum := value[:len(value)-4], binary.BigEndian.Uint32(value[len(value)-4:])
	if checksum(bucket, key, body) != sum {
		return nil, fmt.Errorf("checksum does not match: %w", ErrDamaged)
	}
	if body[0] > schema {
		return nil, fmt.Errorf("value of version %d: %w", body[0], ErrNewer)
	}
	return body[1:], nil
}

// Bits of a record's flags.
const (
	flagIngested = 1 << iota
	flagAgain
	flagInbox
)

// append packs a record: numbers are unsigned varints, texts and addresses
// have their length before them, in the order written here.
func (r *Record) append(b []byte) []byte {
	for _, n := range []uint64{uint64(r.Stamp), uint64(r.Time), uint64(r.Kind), uint64(r.Cause),
		uint64(r.Weight), uint64(r.Size), r.flags()} {
		b = binary.AppendUvarint(b, n)
	}
	b = append(b, r.Digest[:]...)
	peer, _ := r.Peer.MarshalBinary()
	for _, s := range [][]byte{r.Source.AsSlice(), peer} {
		b = appendText(b, s)
	}
	for _, s := range []string{r.Reason, r.Helo, r.MailFrom, r.TLS, r.Protocol} {
		b = appendText(b, s)
	}
	b = binary.AppendUvarint(b, uint64(len(r.Traps)))
	for _, t := range r.Traps {
		b = appendText(b, t)
	}
	b = binary.AppendUvarint(b, uint64(len(r.Recipients)))
	for _, p := range r.Recipients {
		b = appendText(appendText(appendText(b, p.Address), p.Kind), p.State)
		b = binary.AppendUvarint(b, uint64(p.Weight))
	}
	return b
}

func (r *Record) flags() uint64 {
	var flags uint64
	for i, set := range []bool{r.Ingested, r.Again, r.Inbox} {
		if set {
			flags |= 1 << i
		}
	}
	return flags
}

func appendText[T string | []byte](b []byte, s T) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// recordOf unpacks what append packed; it copies everything out.
func recordOf(lsn uint64, b []byte) (Record, error) {
	u := unpacker{rest: b}
	r := Record{Hit: criteria.Hit{LSN: lsn}}
	r.Size, r.Inbox = u.hit(&r.Hit)
	u.peer(&r.Peer)
	for _, s := range []*string{&r.Reason, &r.Helo, &r.MailFrom, &r.TLS, &r.Protocol} {
		*s = u.text()
	}
	for range u.count() {
		r.Traps = append(r.Traps, u.text())
	}
	for range u.count() {
		r.Recipients = append(r.Recipients, Recipient{Address: u.text(), Kind: u.text(),
			State: u.text(), Weight: criteria.Micro(u.number())})
	}
	if u.bad || len(u.rest) > 0 {
		return r, errUnpack
	}
	return r, nil
}

// hit unpacks what the rules read, up to the source, and what stands among it.
func (u *unpacker) hit(h *criteria.Hit) (size int64, inbox bool) {
	h.Stamp, h.Time = criteria.Second(u.number()), criteria.Second(u.number())
	h.Kind, h.Cause = criteria.Kind(u.number()), criteria.Cause(u.number())
	h.Weight, size = criteria.Micro(u.number()), int64(u.number())
	flags := u.number()
	h.Ingested, h.Again = flags&flagIngested > 0, flags&flagAgain > 0
	copy(h.Digest[:], u.take(uint64(len(h.Digest))))
	u.address(&h.Source)
	return size, flags&flagInbox > 0
}

// unpacker reads what was packed; bad is set at the first thing that is wrong,
// and everything reads as zero from there.
type unpacker struct {
	rest []byte
	bad  bool
}

func (u *unpacker) number() uint64 {
	n, size := binary.Uvarint(u.rest)
	if size <= 0 {
		u.bad, u.rest = true, nil
		return 0
	}
	u.rest = u.rest[size:]
	return n
}

func (u *unpacker) take(n uint64) []byte {
	if n > uint64(len(u.rest)) {
		u.bad, u.rest = true, nil
		return nil
	}
	b := u.rest[:n]
	u.rest = u.rest[n:]
	return b
}

// count reads a number of things that take at least a byte each.
func (u *unpacker) count() uint64 {
	n := u.number()
	if n > uint64(len(u.rest)) {
		u.bad, u.rest = true, nil
		return 0
	}
	return n
}

func (u *unpacker) text() string { return string(u.take(u.number())) }

func (u *unpacker) address(a *netip.Addr) {
	b := u.take(u.number())
	if len(b) > 16 || a.UnmarshalBinary(b) != nil { // a source has no zone
		u.bad = true
	}
}

func (u *unpacker) peer(p *netip.AddrPort) {
	b := u.take(u.number())
	if len(b) > 0 && p.UnmarshalBinary(b) != nil {
		u.bad = true
	}
}
