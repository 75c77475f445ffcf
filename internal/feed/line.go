package feed

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

const (
	maxLine  = 16 << 10 // rbldnsd writes some 1300 bytes at most, syslog daemons 8 KiB
	lookedAt = 64 << 10 // bytes in which the format shows
	maxQuote = 60       // bytes of a stranger's that an error repeats
)

// LineError is a line that makes a stream unusable.
type LineError struct {
	Path string
	Line int64 // from 1
	Err  error // what is wrong, and the mend
}

// Error names the place first.
func (e *LineError) Error() string { return fmt.Sprintf("read %s:%d: %v", e.Path, e.Line, e.Err) }

// Unwrap gives what is wrong.
func (e *LineError) Unwrap() error { return e.Err }

// A damaged line is not what its author wrote.
var (
	errLong = fmt.Errorf("longer than %d bytes: is this a text file?", maxLine)
	errCut  = errors.New("the last line does not end: get the file again if it was cut, " +
		"else end the line")
)

// lines reads a stream line by line.
type lines struct {
	in   *bufio.Reader
	path string
	n    int64 // lines read
}

func newLines(r io.Reader, path string) (*lines, error) {
	l := &lines{in: bufio.NewReaderSize(r, lookedAt), path: path}
	start, _ := l.in.Peek(len("\x1f\x8b")) // an error comes up again when the bytes are read
	if bytes.Equal(start, []byte("\x1f\x8b")) {
		return nil, l.fault(errors.New("compressed: unpack it first, as zcat does"))
	}
	return l, nil
}

// next gives a line without its end, LF or CRLF. The error is io.EOF behind the last line, errLong
// or errCut for a damaged one, or the stream's.
func (l *lines) next() (string, error) {
	line, err := l.in.ReadSlice('\n')
	if len(line) > 0 {
		l.n++
	}
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return "", l.pass()
	case errors.Is(err, io.EOF) && len(line) > 0:
		return "", errCut
	case err != nil:
		return "", err
	case len(line) > maxLine:
		return "", errLong
	}
	line = bytes.TrimSuffix(line[:len(line)-1], []byte("\r"))
	if l.n == 1 {
		line = bytes.TrimPrefix(line, []byte("\ufeff")) // as some editors begin a file
	}
	return string(line), nil
}

// pass goes to the end of a line that is too long.
func (l *lines) pass() error {
	for {
		switch _, err := l.in.ReadSlice('\n'); {
		case errors.Is(err, bufio.ErrBufferFull):
		case err == nil || errors.Is(err, io.EOF):
			return errLong
		default:
			return err
		}
	}
}

// fault puts an error of the stream as a whole in form.
func (l *lines) fault(err error) error { return fmt.Errorf("read %s: %w", l.path, err) }

// grammar reads the lines of one format and keeps what they say.
type grammar interface {
	fits(line string) bool   // looks like one of its lines
	take(line string) error  // an error ends the reading
	damaged(err error) error // the same for a line of which errLong or errCut is true
	end() error              // no more lines follow
}

// strict grammars take all of a stream or nothing.
type strict struct{}

func (strict) damaged(err error) error { return err }
func (strict) end() error              { return nil }

// lenient grammars pass over what they do not understand.
type lenient struct{ stats *Stats }

func (l lenient) damaged(error) error {
	l.stats.skip(Unreadable)
	return nil
}

func (lenient) end() error { return nil }

// choice is a format and what reads it.
type choice struct {
	format Format
	of     grammar
}

// read reads all lines.
func (l *lines) read(chosen choice, s *Stats) error {
	s.Format = chosen.format
	for {
		line, err := l.next()
		switch {
		case errors.Is(err, io.EOF):
			return l.finish(chosen.of, s)
		case errors.Is(err, errLong) || errors.Is(err, errCut):
			err = chosen.of.damaged(err)
		case err != nil:
			return l.fault(err)
		case isBlank(line):
			s.skip(Blank)
		default:
			err = chosen.of.take(line)
		}
		if err != nil {
			return &LineError{l.path, l.n, err}
		}
	}
}

// finish also refuses a stream of another format that was called one of this.
func (l *lines) finish(g grammar, s *Stats) error {
	s.Lines = l.n
	if err := g.end(); err != nil {
		return l.fault(err)
	}
	if bad := s.Skipped[Unreadable]; bad > 0 && bad+s.Skipped[Blank] == s.Lines {
		return l.fault(fmt.Errorf("not one line of format %q: name the right one", s.Format))
	}
	return nil
}

// choose finds the wanted format, or looks for the first line that fits one. An empty stream is of
// the first format.
func (l *lines) choose(wanted Format, all []choice) (choice, error) {
	var known []string
	for _, c := range all {
		if wanted == c.format {
			return c, nil
		}
		known = append(known, string(c.format))
	}
	if wanted != Auto {
		return choice{}, fmt.Errorf("format %q is none of %s", wanted, strings.Join(known, ", "))
	}
	start, _ := l.in.Peek(lookedAt)
	first := ""
	for line := range strings.Lines(string(start)) {
		line = strings.TrimRight(strings.TrimPrefix(line, "\ufeff"), "\r\n")
		if c, ok := fitting(line, all); ok {
			return c, nil
		}
		if first == "" && !isBlank(line) {
			first = line
		}
	}
	if first == "" {
		return all[0], nil
	}
	return choice{}, fmt.Errorf("%s is of none of the formats %s: name the format",
		quote(first), strings.Join(known, ", "))
}

func fitting(line string, all []choice) (choice, bool) {
	for _, c := range all {
		if !isBlank(line) && c.of.fits(line) {
			return c, true
		}
	}
	return choice{}, false
}

// isBlank tells an empty line or a comment.
func isBlank(line string) bool {
	line = strings.TrimSpace(line)
	return line == "" || line[0] == '#' || line[0] == ';'
}

// quote is a stranger's text for an error: cut short, and nothing in it moves a terminal.
func quote(s string) string {
	if len(s) > maxQuote {
		return strconv.QuoteToASCII(s[:maxQuote]) + "…"
	}
	return strconv.QuoteToASCII(s)
}
