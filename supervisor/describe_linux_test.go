package supervisor

import (
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/shm/format/raw"
)

func TestKilledSurveysFindTheSame(t *testing.T) {
	pool := start(t, Workers(3), ChunkBytes(1<<18))
	x := open(t, pool, rawFile(t, 0, normal(1<<20, 3)), Raw(raw.Layout{Type: kernels.Float64}))
	bins, err := kernels.ParseBins("20")
	if err != nil {
		t.Fatal(err)
	}
	inquiry := Inquiry{Quantiles: []float64{0.01, 0.5, 0.99}, Histogram: true, Bins: bins}
	want, err := pool.Describe(t.Context(), x, inquiry)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		r := rand.New(rand.NewPCG(1, uint64(time.Now().UnixNano())))
		chunks := uint64(0)
		for n := 0; n < 20; {
			chunks = progress(pool, chunks)
			time.Sleep(time.Duration(r.IntN(2000)) * time.Microsecond)
			if killOne(t, r) {
				n++
			}
		}
	}()
	for over := false; !over; {
		select {
		case <-ended:
			over = true
		default:
		}
		if got, err := pool.Describe(t.Context(), x, inquiry); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%+v, %v, want %+v", got, err, want)
		}
	}
}
