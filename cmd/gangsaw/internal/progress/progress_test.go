package progress

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// shown returns what a view of a mode writes of a run whose states and notes are
// given by use.
func shown(t *testing.T, mode Mode, total uint64, ceiling float64, use func(v *View)) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "out")
	out, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	use(New(out, mode, total, ceiling))
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestLastLineIsTheLast(t *testing.T) {
	run := func(v *View) {
		v.Watch(func() State { return State{Bytes: 10, Retries: 2, Respawns: 1} })
		v.Stop()
		v.Note("worker 3 died")
		v.End("read all")
	}
	if got := shown(t, Log, 100, 0, run); got != "gangsaw: worker 3 died\ngangsaw: read all\n" {
		t.Errorf("log: %q", got)
	}
	if got := shown(t, None, 100, 0, run); got != "gangsaw: worker 3 died\n" {
		t.Errorf("none: %q", got)
	}
	lines := strings.Split(strings.TrimSuffix(shown(t, JSON, 100, 50, run), "\n"), "\n")
	var last struct {
		Bytes, Total, Retries, Respawns uint64
		Share                           float64  `json:"share_of_ceiling"`
		Left                            *float64 `json:"seconds_left"`
	}
	if len(lines) != 2 || lines[0] != `{"event":"worker 3 died"}` || json.Unmarshal([]byte(lines[1]), &last) != nil {
		t.Fatalf("JSON: %q", lines)
	}
	if last.Bytes != 10 || last.Total != 100 || last.Retries != 2 || last.Respawns != 1 || last.Share <= 0 || last.Left == nil {
		t.Errorf("%+v", last)
	}
}

func TestLinesTellWhatIsKnown(t *testing.T) {
	for _, c := range []struct {
		total   uint64
		ceiling float64
		has     []string
		lacks   []string
	}{
		{4 << 20, 1 << 40, []string{"gangsaw: 1.0 MiB of 4.0 MiB, ", "% of the ceiling", " left, 3 retries\n"}, nil},
		{0, 0, []string{"gangsaw: 1.0 MiB, ", ", 3 retries\n"}, []string{" of ", "left", "ceiling"}},
	} {
		got := shown(t, Log, c.total, c.ceiling, func(v *View) { v.show(State{Bytes: 1 << 20, Retries: 3}) })
		for _, text := range c.has {
			if !strings.Contains(got, text) {
				t.Errorf("%q lacks %q", got, text)
			}
		}
		for _, text := range c.lacks {
			if strings.Contains(got, text) {
				t.Errorf("%q has %q", got, text)
			}
		}
	}
}

func TestTimeLeft(t *testing.T) {
	for _, c := range []struct {
		done, total uint64
		rate        float64
		want        time.Duration
	}{{0, 100, 10, 10 * time.Second}, {50, 100, 10, 5 * time.Second}, {100, 100, 10, 0}, {200, 100, 10, 0}, {0, 100, 0, 0}} {
		if got := left(c.done, c.total, c.rate); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}

// A bar is cleared before a note, and gone when the view stops, with a total and
// without.
func TestBarIsGoneInTheEnd(t *testing.T) {
	for total, bar := range map[uint64]string{0: "2.0 MiB, ", 4 << 20: " 50 % ["} {
		got := shown(t, Bar, total, 0, func(v *View) {
			v.show(State{}) // too early for one
			v.start = v.start.Add(-time.Minute)
			v.show(State{Bytes: 2 << 20, Retries: 1})
			v.Note("worker 3 died")
			v.show(State{Bytes: 2 << 20})
			v.End("read all")
		})
		parts := strings.Split(got, clearLine)
		if len(parts) != 5 || parts[0] != "" || !strings.HasPrefix(parts[1], bar) || !strings.HasSuffix(parts[1], ", 1 retry") ||
			parts[2] != "gangsaw: worker 3 died\n" || !strings.HasPrefix(parts[3], bar) || strings.Contains(parts[3], "retr") || parts[4] != "gangsaw: read all\n" {
			t.Errorf("%q", parts)
		}
	}
}

func TestBarFitsItsColumns(t *testing.T) {
	const line = "1 MiB of 4 MiB"
	for _, c := range []struct {
		done, total uint64
		columns     int
		want        string
	}{
		{1, 4, 80, " 25 % [#######-----------------------] " + line},
		{1, 4, 27, " 25 % [#---] " + line},
		{1, 4, 26, " 25 % " + line},
		{9, 4, 28, "100 % [#####] " + line},
		{1, 0, 80, line},
		{1, 4, 7, " 25 % 1"},
		{1, 4, -4, ""},
	} {
		if got := drawn(c.done, c.total, line, c.columns); got != c.want || len(got) > max(0, c.columns) {
			t.Errorf("%+v: %q", c, got)
		}
	}
}
