package store

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"os"
)

// What of bbolt's file format has to be known to look at a file before bbolt
// does. Numbers are in native byte order. A page begins with a header:
//
//	id (8 bytes) | flags (2) | count (2) | overflow (4)
//
// a meta page goes on with magic, version, page size, flags (4 each), root (16),
// freelist, pages, transaction, checksum (8 each); a branch page with count
// elements of position, key size (4 each) and child (8); a leaf page with count
// elements of flags, position, key size, value size (4 each).
const (
	pageHeader  = 16
	elementSize = 16
	metaLength  = 64
	metaMagic   = 0xED0CDAED
	metaVersion = 2
	minPageSize = 1 << 10
	maxPageSize = 1 << 16

	branchPage   = 1
	leafPage     = 2
	metaFlag     = 4
	freelistPage = 16
	bucketLeaf   = 1 // flag of an element: its value is a bucket
)

// metaPage is what of a meta page matters here.
type metaPage struct {
	pageSize                  uint32
	root, freelist, pages, tx uint64
}

// pager reads the pages of a file.
type pager struct {
	file *os.File
	metaPage
	branches map[uint64]bool // that were met
}

// checkPages tells whether bbolt may open the file: its two meta pages are whole,
// the file is as long as the newer one says, and its trees end.
func checkPages(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if info.Size() == 0 {
		return fmt.Errorf("empty: %w", ErrDamaged)
	}
	m, err := lastMeta(f)
	if err != nil {
		return err
	}
	if size := m.pages * uint64(m.pageSize); size > uint64(info.Size()) {
		return fmt.Errorf("cut off: %d of %d bytes: %w", info.Size(), size, ErrDamaged)
	}
	p := &pager{file: f, metaPage: m, branches: map[uint64]bool{}}
	return p.checkBuckets()
}

// lastMeta gives the meta page of the last commit. bbolt opens a file of which one
// meta page is whole, as it was a commit earlier; but then something else than a
// crash has been at it, and the hits of that commit were acknowledged. For both are
// written when the file is made, and later each commit writes one of them, the page
// of its number's parity, 80 bytes from the page's beginning: within one sector,
// which a disk writes whole or not at all, and within one page of the system's cache,
// which a killed process leaves whole.
func lastMeta(f *os.File) (metaPage, error) {
	newest, ok := newestMeta(f)
	if !ok {
		return newest, fmt.Errorf("no whole meta page: %w", ErrDamaged)
	}
	var both [2]metaPage
	for i := range both {
		if both[i], ok = readMeta(f, int64(i)*int64(newest.pageSize)); !ok {
			return newest, fmt.Errorf("%s: %w", brokenMeta(i), ErrDamaged)
		}
	}
	if first, second := both[0].tx, both[1].tx; first%2 != 0 || first+1 != second && second+1 != first {
		return newest, fmt.Errorf("the meta pages, of commits %d and %d, do not follow each other: "+
			"the last commit may be missing: %w", first, second, ErrDamaged)
	}
	return newest, nil
}

func brokenMeta(page int) string {
	return fmt.Sprintf("meta page %d is broken: the last commit may be missing", page)
}

// newestMeta gives the meta page that bbolt would take, and whether there is one.
// The second page lies where the first one says that pages end. Only where the
// first one is broken it is looked for: the other places may hold bytes that
// strangers sent.
func newestMeta(f *os.File) (metaPage, bool) {
	first, ok := readMeta(f, 0)
	if ok {
		second, ok := readMeta(f, int64(first.pageSize))
		if ok && second.tx > first.tx {
			return second, true
		}
		return first, true
	}
	for at := int64(minPageSize); at <= maxPageSize; at *= 2 {
		if m, ok := readMeta(f, at); ok && int64(m.pageSize) == at {
			return m, true
		}
	}
	return metaPage{}, false
}

// readMeta gives the meta page at an offset, and whether it is whole.
func readMeta(f *os.File, offset int64) (metaPage, bool) {
	b := make([]byte, metaLength)
	if _, err := f.ReadAt(b, offset+pageHeader); err != nil {
		return metaPage{}, false
	}
	order := binary.NativeEndian
	sum := fnv.New64a()
	sum.Write(b[:metaLength-8])
	whole := order.Uint32(b) == metaMagic && order.Uint32(b[4:]) == metaVersion &&
		order.Uint64(b[56:]) == sum.Sum64()
	return metaPage{pageSize: order.Uint32(b[8:]), root: order.Uint64(b[16:]),
		freelist: order.Uint64(b[32:]), pages: order.Uint64(b[40:]), tx: order.Uint64(b[48:])}, whole
}

// checkBuckets looks at the tree of each bucket. bbolt descends a tree without
// counting its steps: a branch that leads back up would end the process by its
// stack, which no recover stops. Few pages are branches, so this is quick.
func (p *pager) checkBuckets() error {
	root, err := p.read(p.root)
	if err != nil {
		return err
	}
	if root.flags != leafPage { // ours have three buckets
		return fmt.Errorf("page %d is no leaf: %w", p.root, ErrDamaged)
	}
	for i := range root.count {
		child, isBucket, err := root.bucket(i)
		if err != nil {
			return err
		}
		if !isBucket || child == 0 { // 0: small, and kept in the element itself
			continue
		}
		if err := p.checkTree(child, 0); err != nil {
			return err
		}
	}
	return nil
}

// maxDepth is far more than a tree of the largest file has.
const maxDepth = 16

// checkTree walks the branches below a page. Of leaves only the first below a
// branch is read, to know its kind; the others must not be branches met before.
func (p *pager) checkTree(id uint64, depth int) error {
	page, err := p.read(id)
	switch {
	case err != nil:
		return err
	case page.flags == leafPage:
		return nil
	case page.flags != branchPage || page.count == 0 || p.branches[id] || depth > maxDepth:
		return fmt.Errorf("page %d leads nowhere: %w", id, ErrDamaged)
	}
	p.branches[id] = true
	first, err := p.read(page.child(0))
	if err != nil {
		return err
	}
	for i := range page.count {
		child := page.child(i)
		switch {
		case first.flags == branchPage:
			err = p.checkTree(child, depth+1)
		case child >= p.pages || p.branches[child]:
			err = fmt.Errorf("page %d leads to page %d: %w", id, child, ErrDamaged)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// treePage is a branch or leaf page.
type treePage struct {
	id    uint64
	flags uint16
	count int
	bytes []byte // the page without its overflow, header and all
}

// read gives a page whose header agrees with where it was found.
func (p *pager) read(id uint64) (treePage, error) {
	b := make([]byte, p.pageSize)
	if id < 2 || id >= p.pages {
		return treePage{}, fmt.Errorf("page %d of %d: %w", id, p.pages, ErrDamaged)
	}
	if _, err := p.file.ReadAt(b, int64(id)*int64(p.pageSize)); err != nil {
		return treePage{}, fmt.Errorf("read page %d: %w", id, err)
	}
	order := binary.NativeEndian
	page := treePage{id, order.Uint16(b[8:]), int(order.Uint16(b[10:])), b}
	elements := page.count * elementSize
	if page.flags == freelistPage {
		elements = 0 // its numbers may go on behind the page
	}
	if order.Uint64(b) != id || pageHeader+elements > len(b) {
		return treePage{}, fmt.Errorf("page %d has a broken header: %w", id, ErrDamaged)
	}
	return page, nil
}

// freeCount gives how many pages a free list names, and where in it they begin: a
// count that does not fit into the header is the first number.
func (t treePage) freeCount() (n uint64, ids []byte) {
	if ids = t.bytes[pageHeader:]; t.count == 0xFFFF {
		return binary.NativeEndian.Uint64(ids), ids[8:]
	}
	return uint64(t.count), ids
}

func (t treePage) element(i int) []byte { return t.bytes[pageHeader+i*elementSize:] }

func (t treePage) child(i int) uint64 { return binary.NativeEndian.Uint64(t.element(i)[8:]) }

// bucket gives the root page of the bucket that an element of a leaf holds.
func (t treePage) bucket(i int) (root uint64, isBucket bool, err error) {
	e, order := t.element(i), binary.NativeEndian
	if order.Uint32(e)&bucketLeaf == 0 {
		return 0, false, nil
	}
	at := uint64(pageHeader+i*elementSize) + uint64(order.Uint32(e[4:])) + uint64(order.Uint32(e[8:]))
	if at+8 > uint64(len(t.bytes)) {
		return 0, false, fmt.Errorf("page %d, bucket %d: %w", t.id, i, ErrDamaged)
	}
	return order.Uint64(t.bytes[at:]), true, nil
}
