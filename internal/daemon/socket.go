package daemon

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"sync"
	"syscall"

	"github.com/trapline/trapline/internal/config"
)

// socket is a unix socket for our user and group. Until it is placed it listens under another name
// beside its path, so that what can be reached there stays so while a start or a reload may fail.
type socket struct {
	*net.UnixListener
	spelled string      // the path, as whoever configured it knows it
	path    string      // the same without symbolic links: one that moves leads to no other socket
	at      string      // where it lies now
	ours    os.FileInfo // what lies there, as long as nobody else put something in its place
	close   func() error
}

// socketMode is for our user and group.
const socketMode = 0o660

// openSocket opens a socket that is to be placed or closed. Nothing but dead sockets has to make
// room for it.
func openSocket(path string) (*socket, error) {
	beside := path + config.Beside
	for _, name := range []string{path, beside} {
		if err := clearSocket(name); err != nil {
			return nil, err
		}
	}
	private := net.ListenConfig{Control: limitMode}
	l, err := private.Listen(context.Background(), "unix", beside)
	if err != nil {
		return nil, err
	}
	s := &socket{UnixListener: l.(*net.UnixListener), spelled: path, path: config.Canonical(path)}
	s.SetUnlinkOnClose(false) // it would unlink what lies there by then
	s.at, s.close = s.path+config.Beside, sync.OnceValue(s.remove)
	if err := s.settle(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// limitMode keeps others out between bind and chmod, whatever the umask: on Linux a name has no
// more rights than its socket had. Other systems refuse, and have the umask alone.
func limitMode(_, _ string, c syscall.RawConn) error {
	return c.Control(func(fd uintptr) { _ = syscall.Fchmod(int(fd), socketMode) })
}

// settle gives the socket its mode, whatever the umask, and learns what it is.
func (s *socket) settle() (err error) {
	if s.ours, err = os.Lstat(s.at); err != nil {
		return err
	}
	return os.Chmod(s.at, socketMode)
}

// clearSocket removes a socket on which nobody answers. Anything else that lies there is an error.
func clearSocket(path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.Mode().Type() != fs.ModeSocket:
		return fmt.Errorf("%s is there and is no socket: give another path, or move away what is there", path)
	}
	c, err := net.Dial("unix", path)
	switch {
	case err == nil:
		return errors.Join(inUse(path, syscall.EADDRINUSE), c.Close())
	case errors.Is(err, syscall.ECONNREFUSED):
		return os.Remove(path)
	}
	return inUse(path, fmt.Errorf("cannot tell whether anybody listens there: %w", err))
}

func inUse(path string, err error) error {
	return &net.OpError{Op: "listen", Net: "unix", Addr: &net.UnixAddr{Name: path, Net: "unix"}, Err: err}
}

// place brings the socket under its path. It fails where something came there since it was opened.
func (s *socket) place() error {
	if err := clearSocket(s.path); err != nil {
		return err
	}
	if err := os.Rename(s.at, s.path); err != nil {
		return err
	}
	s.at = s.path
	return nil
}

// Addr is the path, which is known before the socket is placed.
func (s *socket) Addr() net.Addr { return &net.UnixAddr{Name: s.spelled, Net: "unix"} }

// Close stops listening, and takes the name away if it is still ours. Once more, it does nothing.
func (s *socket) Close() error { return s.close() }

// remove takes the name first: as long as the socket is open, no other file can be taken for it.
func (s *socket) remove() error {
	var err error
	if now, lost := os.Lstat(s.at); lost == nil && os.SameFile(s.ours, now) {
		err = os.Remove(s.at)
	}
	return errors.Join(err, s.UnixListener.Close())
}
