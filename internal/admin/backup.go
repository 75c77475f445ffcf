package admin

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/trapline/trapline/store"
)

// A backup comes as the archive itself: how large it may get before it, what went
// wrong behind it.
const (
	backupSize  = "Trapline-Bytes"
	backupFault = "Trapline-Error"
)

// backupStall bounds how long a reader may keep the daemon waiting: days that
// should go stay while a backup is made.
const backupStall = time.Minute

// sendBackup writes a backup of the store as it stands now, beside the writer and
// at a share of its time. The file is the asker's: the daemon writes nothing.
func (d *Desk) sendBackup(w http.ResponseWriter, r *http.Request) {
	if !d.backing.TryLock() {
		refuse(w, refused("a backup is under way", "ask again when it is done"))
		return
	}
	defer d.backing.Unlock()
	size := d.Store.SizeOfHits().Bytes + d.Store.SizeOfLedger().Bytes
	w.Header().Set("Content-Type", "application/x-tar")
	w.Header().Set(backupSize, strconv.FormatInt(size, 10))
	control := http.NewResponseController(w)
	stop := context.AfterFunc(r.Context(), func() { _ = control.SetWriteDeadline(time.Now()) })
	defer stop()
	out := patient{w, control}
	if _, err := d.Store.Backup(r.Context(), out, store.BesideWriter); err != nil {
		w.Header().Set(http.TrailerPrefix+backupFault, err.Error())
	}
}

// patient is a writer to somebody who may take some time for each write.
type patient struct {
	to      io.Writer
	control *http.ResponseController
}

// Write gives up when nobody reads.
func (p patient) Write(b []byte) (int, error) {
	if err := p.control.SetWriteDeadline(time.Now().Add(backupStall)); err != nil {
		return 0, err
	}
	return p.to.Write(b)
}

// Backup writes a backup of the daemon's store, and tells how far it is. Whoever
// gets it should look whether it is whole: store.VerifyBackup.
func (c *Client) Backup(ctx context.Context, w io.Writer, p store.Progress) error {
	reply, err := c.send(ctx, "GET", "backup", nil, nil)
	if err != nil {
		return err
	}
	defer reply.Body.Close()
	about, err := strconv.ParseUint(reply.Header.Get(backupSize), 10, 64)
	if err != nil {
		about = 0 // how far it is will not be told
	}
	in := &telling{from: reply.Body, tell: func(n uint64) { p(n, about) }}
	if _, err := io.Copy(w, in); err != nil {
		return fmt.Errorf("read the daemon's backup: %w", err)
	}
	if fault := reply.Trailer.Get(backupFault); fault != "" {
		return fmt.Errorf("the daemon: %s", fault)
	}
	return nil
}

// telling tells how much was read.
type telling struct {
	from io.Reader
	n    uint64
	tell func(uint64)
}

// Read tells how much was read so far.
func (t *telling) Read(b []byte) (int, error) {
	n, err := t.from.Read(b)
	t.n += uint64(n)
	t.tell(t.n)
	return n, err
}
