package partial

import (
	"encoding/binary"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/gangsaw/gangsaw/kernels"
)

// record returns what a shard finds in chunks 3 to 8 of 13.
func record() Record {
	return Record{
		Asked: 1, Elements: 13*4096 - 1, Chunk: 4096, Chunks: 13, From: 3, To: 8,
		Nodes:  []kernels.Node[[]byte]{{Level: 0, Index: 3, Value: []byte("ab")}, {Level: 2, Index: 1, Value: []byte{}}},
		Sample: []uint64{7, math.MaxUint64}, Counts: []uint64{1, 0, 2}, Kept: [][]uint64{{}, {}, {5, 4}}, Lost: true,
	}
}

func part() *Part {
	shard, nulls := 1, int64(3)
	return &Part{
		About: About{
			Gangsaw: "v1", Of: 3, Chunk: 1 << 20, Describe: &Describe{Quantiles: []float64{0.1}, Method: "linear", Bins: "fd"},
			Arrays: []Array{{File: "a.npy", Bytes: 1, Sum: math.MaxUint64, Name: "x", Type: "float64", Shape: []int64{7}, Nulls: &nulls}},
		},
		Shard: &shard, Base: math.MaxUint64 - 1, Run: Run{Workers: 2, Bytes: 3, ISA: "scalar"}, Passes: 1, Records: []Record{record()},
	}
}

func TestFileKeepsWhatItIsGiven(t *testing.T) {
	whole := part()
	whole.Shard, whole.Base = nil, 0
	b, err := Encode([]*Part{part(), whole})
	if err != nil {
		t.Fatal(err)
	}
	got, err := Decode(b)
	if err != nil || len(got) != 2 {
		t.Fatalf("%d parts, %v", len(got), err)
	}
	for i, want := range []*Part{part(), whole} {
		if !got[i].About.Same(want.About) {
			t.Errorf("about %+v, want %+v", got[i].About, want.About)
		}
		sum, _ := want.Sum()
		if again, err := got[i].Sum(); err != nil || again != sum {
			t.Errorf("checksum %x of what was %x", again, sum)
		}
		if !reflect.DeepEqual(got[i], want) {
			t.Errorf("%+v, want %+v", got[i], want)
		}
	}
	// No byte of it can be another, or be missing.
	for i := range b {
		b[i] ^= 0x10
		if _, err := Decode(b); !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrVersion) && !errors.Is(err, ErrOther) {
			t.Fatalf("with byte %d changed: %v", i, err)
		}
		b[i] ^= 0x10
		if _, err := Decode(b[:i]); !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrOther) {
			t.Fatalf("of %d bytes: %v", i, err)
		}
	}
	b[len(kind)] = '2'
	if _, err := Decode(b); !errors.Is(err, ErrVersion) {
		t.Errorf("another version: %v", err)
	}
}

func TestRecordsThatCannotBeAreRefused(t *testing.T) {
	good := record()
	if err := good.Check(); err != nil {
		t.Fatal(err)
	}
	for want, spoil := range map[string]func(r *Record){
		"in 13 chunks of 0":         func(r *Record) { r.Chunk = 0 },
		"in 12 chunks of 4096":      func(r *Record) { r.Chunks = 12 },
		"chunks 9 to 8":             func(r *Record) { r.From = 9 },
		"chunks 3 to 14":            func(r *Record) { r.To = 14 },
		"kept keys of 2 intervals":  func(r *Record) { r.Kept = r.Kept[1:] },
		"where chunk 3 of 8":        func(r *Record) { r.Nodes[0].Index = 2 },
		"where chunk 4 of 8":        func(r *Record) { r.Nodes[1].Level = 3 },
		"subtree 1 of level 63":     func(r *Record) { r.Nodes[1].Level = 63 },
		"subtree 2 of level 62":     func(r *Record) { r.Nodes[1] = kernels.Node[[]byte]{Level: 62, Index: 2} },
		"subtrees up to chunk 4":    func(r *Record) { r.Nodes = r.Nodes[:1] },
		"9223372036854775808 eleme": func(r *Record) { r.Elements = 1 << 63 },
	} {
		r := record()
		spoil(&r)
		if err := r.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want one of %q", err, want)
		}
	}
}

func TestJoinedRecordsAreOfAllChunks(t *testing.T) {
	shards := func() []Record {
		a, b, c := record(), record(), record()
		a.From, a.To, a.Lost = 0, 3, false
		c.From, c.To, c.Nodes, c.Counts = 8, 13, nil, []uint64{0, 0, 9}
		return []Record{a, b, c}
	}
	got, err := Join(shards())
	if err != nil || got.From != 0 || got.To != 13 || len(got.Nodes) != 4 || len(got.Sample) != 6 || !got.Lost ||
		!reflect.DeepEqual(got.Counts, []uint64{2, 0, 13}) || !reflect.DeepEqual(got.Kept, [][]uint64{nil, nil, {5, 4, 5, 4, 5, 4}}) {
		t.Errorf("%+v, %v", got, err)
	}
	for want, spoil := range map[string]func(all []Record){
		"shards 0 and 1 did not do":     func(all []Record) { all[1].Asked++ },
		"shard 2 begins with chunk 9":   func(all []Record) { all[2].From = 9 },
		"the shards end with chunk 12":  func(all []Record) { all[2].To = 12 },
		"shards 0 and 2 did not count ": func(all []Record) { all[2].Counts = nil },
	} {
		all := shards()
		spoil(all)
		if _, err := Join(all); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want one of %q", err, want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	text, records, err := part().encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text, records)
	f.Add([]byte(`{"About":{"Of":1,"Query":{}},"Passes":1}`), make([]byte, 96))
	f.Fuzz(func(t *testing.T, text, records []byte) {
		// With the right lengths and checksum, or nothing would get further.
		b := binary.LittleEndian.AppendUint64([]byte(magic), uint64(len(text)))
		b = binary.LittleEndian.AppendUint64(b, uint64(len(records)))
		b = append(append(b, text...), records...)
		parts, err := Decode(binary.LittleEndian.AppendUint64(b, checksum(b)))
		if err != nil {
			if !errors.Is(err, ErrCorrupt) {
				t.Fatal(err)
			}
			return
		}
		again, err := Encode(parts)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Decode(again); err != nil {
			t.Fatalf("what was read is refused when it is written: %v", err)
		}
		for _, r := range parts[0].Records {
			if _, err := Join([]Record{r}); err == nil && (r.From != 0 || r.To != r.Chunks) {
				t.Fatalf("chunks %d to %d of %d pass for all", r.From, r.To, r.Chunks)
			}
		}
	})
}
