package trap

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"syscall"
	"time"
)

// Server takes mail from any number of listeners. All methods may be called at once.
type Server struct {
	config Config
	budget *Budget
	large  sync.Pool // of bufio.Reader, for content

	ctx    context.Context // of what the sessions do; ends when they are cut
	cancel context.CancelFunc

	mu        sync.Mutex // guards all below
	closing   bool
	listeners map[net.Listener]struct{}
	sessions  map[*connection]struct{}
	running   sync.WaitGroup // one for each of sessions; grows only while not closing
}

// New checks the configuration and returns a Server that does nothing yet.
func New(config Config) (*Server, error) {
	if err := config.check(); err != nil {
		return nil, err
	}
	if config.Gate == nil {
		config.Gate = func() error { return nil }
	}
	if config.Budget == nil {
		config.Budget = NewBudget()
	}
	ctx, cancel := context.WithCancel(context.Background())
	return &Server{
		config:    config,
		budget:    config.Budget,
		ctx:       ctx,
		cancel:    cancel,
		listeners: make(map[net.Listener]struct{}),
		sessions:  make(map[*connection]struct{}),
	}, nil
}

// Serve accepts connections from l until ctx ends, Shutdown is called or l fails, and closes l.
// Only the last is an error. Sessions go on when Serve returns: Shutdown ends them.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	defer l.Close()
	if !s.listen(l) {
		return nil
	}
	defer s.forget(l)
	spool := newSpool()
	closed := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(closed)
		_ = l.Close()
	})
	defer func() {
		if !stop() {
			<-closed // whoever waits for Serve may take the address
		}
	}()
	for pause := time.Duration(0); ; {
		raw, err := l.Accept()
		switch {
		case err == nil:
			pause = 0
			s.admit(raw, entry{l.Addr().String(), *s.config.Settings(l), spool})
		case ctx.Err() != nil || s.isClosing():
			return nil
		case !passes(err):
			return fmt.Errorf("accept from %s: %w", l.Addr(), err)
		default:
			s.config.Observer.Fault("accept", err.Error())
			pause = min(max(2*pause, 5*time.Millisecond), time.Second)
			s.rest(ctx, pause)
		}
	}
}

// passes tells the errors of accept that time or the end of other connections mends: a flood
// that takes the last file descriptor must not take the listener as well.
func passes(err error) bool {
	for _, e := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM,
		syscall.ECONNABORTED, syscall.ECONNRESET, syscall.EPROTO, syscall.EINTR} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// rest waits out a pause of the accept loop.
func (s *Server) rest(ctx context.Context, pause time.Duration) {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	case <-s.ctx.Done():
	}
}

func (s *Server) listen(l net.Listener) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return false
	}
	s.listeners[l] = struct{}{}
	return true
}

func (s *Server) forget(l net.Listener) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.listeners, l)
}

func (s *Server) isClosing() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closing
}

// admit starts the goroutine of a connection.
func (s *Server) admit(raw net.Conn, by entry) {
	c := newConnection(s, raw, by)
	if !s.add(c) {
		_ = raw.Close()
		return
	}
	go func() {
		defer s.remove(c)
		defer c.survive()
		c.run()
	}()
}

func (s *Server) add(c *connection) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return false
	}
	s.sessions[c] = struct{}{}
	s.running.Add(1)
	return true
}

func (s *Server) remove(c *connection) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.sessions, c)
	s.running.Done()
}

// Shutdown stops accepting and lets each transaction in progress come to its end. Sessions
// without one are told 421 at once. When ctx ends first, the rest are told 421 and cut, and the
// error says how many; a message that the sink has begun to store is still waited for and
// answered. When Shutdown returns, no goroutine of the server is left but Serve's on their way
// out.
func (s *Server) Shutdown(ctx context.Context) error {
	defer s.cancel()
	s.close()
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.running.Wait()
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
	}
	n := s.cut()
	<-done
	if n == 0 {
		return nil
	}
	return fmt.Errorf("drain sessions: %d cut off: %w", n, context.Cause(ctx))
}

// close stops the listeners and asks the sessions to end.
func (s *Server) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closing = true
	for l := range s.listeners {
		_ = l.Close()
	}
	for c := range s.sessions {
		c.leash.drain()
	}
}

// cut ends all sessions and returns how many there were.
func (s *Server) cut() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.sessions {
		c.leash.cut()
	}
	s.cancel()
	return len(s.sessions)
}
