//go:build !linux

package supervisor

import (
	"context"
	"errors"
	"time"

	"github.com/gangsaw/gangsaw/supervisor/internal/engine"
)

// profileOf is never called: every pool is in process.
func profileOf(context.Context, engine.Worker, time.Duration) ([]byte, error) {
	return nil, errors.ErrUnsupported
}
