package supervisor_test

import (
	"context"
	"fmt"
	"log"

	"github.com/gangsaw/gangsaw/supervisor"
)

// A program begins main (here: TestMain) with supervisor.Main().
func Example() {
	ctx := context.Background()
	pool, err := supervisor.Start(ctx, supervisor.Workers(2))
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()
	f, err := pool.File("../testdata/ecg.npy")
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	s, err := pool.Stat(ctx, f.Arrays()[0])
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(s.Count(), s.Min(), s.Max(), s.Sum(), s.Mean())
	// Output: 108000 -3.485 3.65 -17831.745 -0.16510875
}
