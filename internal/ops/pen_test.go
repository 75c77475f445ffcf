package ops

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"
)

// sheet remembers each write.
type sheet struct {
	writes []string
	fault  error
}

func (s *sheet) Write(p []byte) (int, error) {
	s.writes = append(s.writes, string(p))
	return len(p), s.fault
}

func TestPen(t *testing.T) {
	long := strings.Repeat("x", penRoom/2)
	tests := []struct {
		name  string
		write func(zerolog.Logger, *Pen)
		want  []string
	}{
		{"nothing", func(zerolog.Logger, *Pen) {}, nil},
		{"several at once", func(l zerolog.Logger, _ *Pen) {
			l.Info().Int("n", 1).Send()
			<-time.After(penDelay - time.Millisecond)
			l.Debug().Int("n", 2).Send()
			<-time.After(2 * time.Millisecond)
			l.Info().Int("n", 3).Send()
		}, []string{"info 1 debug 2 ", "info 3 "}},
		{"a warning at once", func(l zerolog.Logger, _ *Pen) {
			l.Info().Int("n", 1).Send()
			l.Warn().Int("n", 2).Send()
			l.Error().Int("n", 3).Send()
		}, []string{"info 1 warn 2 ", "error 3 "}},
		{"no more than there is room for", func(l zerolog.Logger, _ *Pen) {
			l.Info().Str("n", long).Send()
			l.Info().Str("n", long).Send()
			l.Info().Int("n", 3).Send()
		}, []string{"info " + long + " info " + long + " ", "info 3 "}},
		{"closed and used again", func(l zerolog.Logger, p *Pen) {
			l.Info().Int("n", 1).Send()
			_ = p.Close()
			_ = p.Close()
			l.Info().Int("n", 2).Send()
		}, []string{"info 1 ", "info 2 "}},
	}
	words := strings.NewReplacer(`{"level":"`, "", `","n":`, " ", "}\n", " ", `"`, "")
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				out := &sheet{}
				pen := NewPen(out)
				tt.write(zerolog.New(pen), pen)
				<-time.After(penDelay)
				synctest.Wait()
				var got []string
				for _, w := range out.writes {
					got = append(got, words.Replace(w))
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

// TestPenFaults: what cannot be written is said where somebody may hear it, and does not pile up.
func TestPenFaults(t *testing.T) {
	out := &sheet{fault: errors.New("disk full")}
	pen := NewPen(out)
	if _, err := pen.WriteLevel(zerolog.ErrorLevel, []byte("one\n")); !errors.Is(err, out.fault) {
		t.Errorf("got %v", err)
	}
	if err := pen.Close(); err != nil || len(out.writes) != 1 {
		t.Errorf("got %v, %q", err, out.writes)
	}
}
