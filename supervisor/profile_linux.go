package supervisor

import (
	"context"
	"errors"
	"io"
	"os"
	"time"

	"github.com/gangsaw/gangsaw/supervisor/internal/engine"
	"github.com/gangsaw/gangsaw/supervisor/internal/wire"
)

// maxProfile bounds what a worker that has gone mad can have this process read.
const maxProfile = 64 << 20

// profileOf has a worker process measure, and returns what it wrote then.
func profileOf(ctx context.Context, w engine.Worker, d time.Duration) ([]byte, error) {
	r, file, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	message := wire.Message{Kind: wire.Profile, Millis: uint32(min(d, time.Hour*24*40).Milliseconds())}
	err = w.(*processWorker).process.Conn.Send(message.Encode(), file)
	file.Close()
	if err != nil {
		return nil, err
	}
	r.SetReadDeadline(time.Now().Add(d + profileGrace))
	stop := context.AfterFunc(ctx, func() { r.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	b, err := io.ReadAll(io.LimitReader(r, maxProfile))
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = errors.New("it does not answer")
	}
	return b, err
}
