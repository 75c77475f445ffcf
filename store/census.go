package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"os"

	"go.etcd.io/bbolt"
)

// census finds out what each page of a file is used for: a page that two trees
// share, or that is both used and free, is written over sooner or later. It does
// what bbolt's own check does, in a bit or two a page, through reads that cannot
// fault, and beside a writer: bbolt's own compares with a free list that the
// writer changes meanwhile.
type census struct {
	*pager
	used, free bitmap
	ease       func() bool // takes a rest where one is due; false: stop
	stopped    bool
	report     func(problem string)
}

// countPages takes the census of the file behind a transaction, which keeps its
// pages from being written over.
func countPages(tx *bbolt.Tx, path string, ease func() bool, report func(string)) error {
	f, err := os.Open(path) // the lock stays: it belongs to bbolt's own descriptor
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // only read
	metas, err := metasOf(f, report)
	if err != nil {
		return err
	}
	for _, m := range metas {
		if m.tx == uint64(tx.ID()) {
			p := &pager{file: f, metaPage: m, branches: map[uint64]bool{}}
			c := &census{pager: p, used: newBitmap(m.pages), free: newBitmap(m.pages),
				ease: ease, report: report}
			c.take()
			return nil
		}
	}
	return errOvertaken
}

// errOvertaken says that two commits came between a transaction's begin and the
// look at its meta page.
var errOvertaken = errors.New("overtaken by the writer")

// metasOf gives the meta pages that are whole; both should be.
func metasOf(f *os.File, report func(string)) (found []metaPage, err error) {
	newest, ok := newestMeta(f)
	if !ok {
		return nil, fmt.Errorf("no whole meta page: %w", ErrDamaged)
	}
	for i := range 2 {
		at := int64(i) * int64(newest.pageSize)
		m, ok := readMeta(f, at)
		if !ok {
			m, ok = readMeta(f, at) // it may have been under the writer's pen
		}
		if !ok {
			report(brokenMeta(i))
			continue
		}
		head := make([]byte, pageHeader)
		if _, err := f.ReadAt(head, at); err != nil {
			return nil, err
		}
		order := binary.NativeEndian
		if order.Uint64(head) != uint64(i) || order.Uint16(head[8:]) != metaFlag {
			report(fmt.Sprintf("meta page %d has a broken header", i))
		}
		found = append(found, m)
	}
	return found, nil
}

// take counts all pages and reports what does not add up.
func (c *census) take() {
	c.used.set(0)
	c.used.set(1)
	c.freelist()
	root, ok := c.page(c.root)
	if !ok {
		return
	}
	c.leaf(root, nil, nil)
	for i := range root.count {
		child, isBucket, err := root.bucket(i)
		if err != nil {
			c.report(err.Error())
		} else if isBucket && child != 0 { // 0: kept in the element itself
			c.tree(child, nil, nil, 0)
		}
	}
	if !c.stopped {
		c.settle()
	}
}

// settle compares what is used with what is free.
func (c *census) settle() {
	both, neither := c.used.and(c.free), c.used.or(c.free)
	if n := both.count(); n > 0 {
		c.report(fmt.Sprintf("%d pages are used and free, the first is page %d", n, both.first(true)))
	}
	if n := uint64(neither.count()); n < c.pages {
		c.report(fmt.Sprintf("%d pages are neither used nor free, the first is page %d",
			c.pages-n, neither.first(false)))
	}
}

// freelist counts the free pages.
func (c *census) freelist() {
	list, ok := c.page(c.metaPage.freelist)
	if !ok {
		return
	}
	order := binary.NativeEndian
	n, ids := list.freeCount()
	if list.flags != freelistPage || n > uint64(len(ids)/8) {
		c.report(fmt.Sprintf("page %d is no free list", list.id))
		return
	}
	for i := range n {
		id := order.Uint64(ids[8*i:])
		if id < 2 || id >= c.pages || c.free.has(id) {
			c.report(fmt.Sprintf("page %d, free page %d of %d: %d", list.id, i+1, n, id))
			continue
		}
		c.free.set(id)
	}
}

// tree counts the pages of a tree, whose keys lie from low on and below high.
func (c *census) tree(id uint64, low, high []byte, depth int) {
	page, ok := c.page(id)
	switch {
	case !ok:
		return
	case page.flags == leafPage:
		c.leaf(page, low, high)
		return
	case page.flags != branchPage || page.count == 0 || depth > maxDepth:
		c.report(fmt.Sprintf("page %d leads nowhere", id))
		return
	}
	keys, ok := c.keys(page, func(e []byte) (at, key, value uint32) {
		return binary.NativeEndian.Uint32(e), binary.NativeEndian.Uint32(e[4:]), 0
	})
	if !ok || !c.ordered(page, keys, low, high) {
		return
	}
	for i := range page.count {
		below := high
		if i+1 < page.count {
			below = keys[i+1]
		}
		c.tree(page.child(i), keys[i], below, depth+1)
	}
}

func (c *census) leaf(page treePage, low, high []byte) {
	keys, ok := c.keys(page, func(e []byte) (at, key, value uint32) {
		order := binary.NativeEndian
		return order.Uint32(e[4:]), order.Uint32(e[8:]), order.Uint32(e[12:])
	})
	if ok {
		c.ordered(page, keys, low, high)
	}
}

// keys gives the keys of a page. bbolt packs elements and then their bytes
// without a gap, so that a size or a count that is wrong shows.
func (c *census) keys(page treePage, read func([]byte) (at, key, value uint32)) (
	keys [][]byte, ok bool,
) {
	next := uint64(pageHeader + page.count*elementSize)
	for i := range page.count {
		at, key, value := read(page.element(i))
		begin := uint64(pageHeader+i*elementSize) + uint64(at)
		end := begin + uint64(key)
		if begin != next || end+uint64(value) > uint64(len(page.bytes)) {
			c.report(fmt.Sprintf("page %d, element %d is not where it should be", page.id, i))
			return nil, false
		}
		keys, next = append(keys, page.bytes[begin:end]), end+uint64(value)
	}
	return keys, true
}

func (c *census) ordered(page treePage, keys [][]byte, low, high []byte) bool {
	for i, k := range keys {
		if low != nil && (bytes.Compare(k, low) < 0 || i > 0 && bytes.Equal(k, low)) ||
			high != nil && bytes.Compare(k, high) >= 0 {
			c.report(fmt.Sprintf("page %d, element %d is out of order", page.id, i))
			return false
		}
		low = k
	}
	return true
}

// page gives a page with its overflow and counts it as used.
func (c *census) page(id uint64) (treePage, bool) {
	if c.stopped = c.stopped || !c.ease(); c.stopped {
		return treePage{}, false
	}
	page, err := c.read(id)
	if err != nil {
		c.report(err.Error())
		return page, false
	}
	more := uint64(binary.NativeEndian.Uint32(page.bytes[12:]))
	if id+more >= c.pages {
		c.report(fmt.Sprintf("page %d has a broken header", id))
		return page, false
	}
	for i := id; i <= id+more; i++ {
		if c.used.has(i) {
			c.report(fmt.Sprintf("page %d has two uses", i))
			return page, false
		}
		c.used.set(i)
	}
	if more == 0 {
		return page, true
	}
	size := int64(c.pageSize)
	whole := make([]byte, (1+int64(more))*size)
	if _, err := c.file.ReadAt(whole, int64(id)*size); err != nil && !errors.Is(err, io.EOF) {
		c.report(fmt.Sprintf("read page %d: %v", id, err))
		return page, false
	}
	page.bytes = whole
	return page, true
}

// bitmap has a bit for each page.
type bitmap []uint64

func newBitmap(n uint64) bitmap { return make(bitmap, (n+63)/64) }

func (b bitmap) set(i uint64)      { b[i/64] |= 1 << (i % 64) }
func (b bitmap) has(i uint64) bool { return b[i/64]&(1<<(i%64)) != 0 }

func (b bitmap) and(c bitmap) bitmap {
	both := make(bitmap, len(b))
	for i := range b {
		both[i] = b[i] & c[i]
	}
	return both
}

func (b bitmap) or(c bitmap) bitmap {
	either := make(bitmap, len(b))
	for i := range b {
		either[i] = b[i] | c[i]
	}
	return either
}

func (b bitmap) count() (n int) {
	for _, word := range b {
		n += bits.OnesCount64(word)
	}
	return n
}

// first gives the first bit that is set, or that is not.
func (b bitmap) first(set bool) int {
	for i, word := range b {
		if !set {
			word = ^word
		}
		if word != 0 {
			return 64*i + bits.TrailingZeros64(word)
		}
	}
	return 64 * len(b)
}
