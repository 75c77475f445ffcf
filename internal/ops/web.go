package ops

import "github.com/rs/zerolog"

// The public pages.

// PageFailed: a public page could not be made, for a reason on our side.
func (e *Events) PageFailed(err error) {
	e.line(zerolog.WarnLevel, "page-failed", "").Str("error", clean(err.Error())).Send()
}
