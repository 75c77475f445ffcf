package daemon

import (
	"context"
	"errors"
	"slices"
)

// stack is what was opened, in order; unwinding closes it in reverse.
type stack []func(context.Context) error

func (s *stack) push(closer func(context.Context) error) { *s = append(*s, closer) }

func (s *stack) unwind(ctx context.Context) error {
	var errs []error
	for _, closer := range slices.Backward(*s) {
		errs = append(errs, closer(ctx))
	}
	return errors.Join(errs...)
}

// background runs f in a goroutine of its own; stop ends its context, waits for
// it and gives its error.
func background(f func(context.Context) error) (stop func() error) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- f(ctx) }()
	return func() error {
		cancel()
		return <-done
	}
}
