package admin

import "context"

// audience is whoever listens to the answer of long work, line by line. When nobody
// does any more, the context of the work ends.
type audience[T any] struct {
	yield func(T, error) bool
	leave context.CancelFunc
	gone  bool
}

// listening makes an audience and a context to work with, which must be ended.
func listening[T any](ctx context.Context, yield func(T, error) bool) (
	*audience[T], context.Context, context.CancelFunc,
) {
	ctx, cancel := context.WithCancel(ctx)
	return &audience[T]{yield: yield, leave: cancel}, ctx, cancel
}

// tell says a line, or the error that is the last, and tells whether to go on.
func (a *audience[T]) tell(line T, err error) bool {
	if !a.gone && !a.yield(line, err) {
		a.gone = true
		a.leave()
	}
	return !a.gone && err == nil
}
