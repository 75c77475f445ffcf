package trap

import (
	"bufio"

	"golang.org/x/sys/unix"
)

// usualHead is room for the head of most messages. It is used again and again: what each message
// leaves behind has to be collected, and that means to look at the stacks of all sessions.
const usualHead = 8 << 10

// room returns an empty slice with room for n bytes.
func (m *memory) room(n int) []byte {
	if n == usualHead {
		if head, ok := m.heads.Get().(*[usualHead]byte); ok {
			return head[:0]
		}
	}
	return make([]byte, 0, n)
}

// giveBack takes what room returned, which nobody may use any more.
func (m *memory) giveBack(head []byte) {
	if cap(head) == usualHead {
		m.heads.Put((*[usualHead]byte)(head[:usualHead]))
	}
}

// apart is room for one message outside of the heap, for those that are kept whole: there the
// collector would let as much lie about as is held, and growing would leave a copy behind. Pages
// take memory only once they are written to.
type apart []byte

// newApart returns room for n bytes, nil if the system has none.
func newApart(n int64) apart {
	room, err := unix.Mmap(-1, 0, int(n), unix.PROT_READ|unix.PROT_WRITE,
		unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return nil
	}
	return room
}

// giveBack returns the room to the system: whoever looks at it afterwards is stopped.
func (a apart) giveBack() {
	if a != nil {
		_ = unix.Munmap(a) // fails only for what newApart did not return
	}
}

// borrow has the guard read through a buffer that takes most content in one piece. Of all sessions
// few read content at a time.
func (g *guard) borrow() {
	if g.small != nil {
		return
	}
	large, ok := g.c.server.large.Get().(*bufio.Reader)
	if !ok {
		large = bufio.NewReaderSize(nil, contentBytes)
	}
	large.Reset(g.in)
	g.small, g.in = g.in, large
}

// waiting returns how many bytes have come that were not looked at yet.
func (g *guard) waiting() int {
	n := g.in.Buffered()
	if g.small != nil {
		n += g.small.Buffered()
	}
	return n
}

// giveBack ends that, once what came behind the content has been read.
func (g *guard) giveBack() {
	if g.small == nil || g.in.Buffered() > 0 {
		return
	}
	large := g.in
	g.small, g.in = nil, g.small
	large.Reset(nil)
	g.c.server.large.Put(large)
}
