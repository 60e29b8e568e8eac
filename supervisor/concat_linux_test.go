package supervisor

import (
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/gangsaw/gangsaw/kernels"
)

// Workers die in the middle of an array that lies in pieces.
func TestKilledWorkersChangeNothingOfAConcatenation(t *testing.T) {
	r := rand.New(rand.NewPCG(31, 11))
	pool := start(t, Workers(2), ChunkBytes(1<<16))
	x, _ := newParts(r, kernels.Float64, nil, 100_001, 7, 200_000, 99_999).open(t, pool, false)
	inquiry := Inquiry{Quantiles: []float64{0.5}}
	want, err := pool.Describe(t.Context(), x, inquiry)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		chunks := uint64(0)
		for n := 0; n < 5; {
			chunks = progress(pool, chunks)
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
