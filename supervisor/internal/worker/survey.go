package worker

import (
	"errors"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/supervisor/internal/wire"
)

// survey is a survey made ready to run.
type survey struct {
	surveyor *kernels.Surveyor
	kept     uint32 // the mapping for kept keys
}

func (w *Worker) prepareSurvey(s *wire.Survey, t kernels.Type) (*survey, error) {
	code, err := w.codeAt(&s.Code)
	if err != nil {
		return nil, err
	}
	decoded, err := kernels.DecodeSurvey(code)
	if err != nil {
		return nil, err
	}
	return &survey{decoded.NewSurveyor(t), s.Kept}, nil
}

// survey surveys a chunk and returns what it found.
func (w *Worker) survey(chunk uint64, data []byte, s *survey) ([]byte, error) {
	if len(data) == 0 {
		return nil, errors.New("a survey of no elements")
	}
	room, err := w.room(s)
	if err != nil {
		return nil, err
	}
	return guardAll(func() ([]byte, error) { return s.surveyor.Chunk(chunk, data, w.progress, room) }, data)
}

// room returns what finds room for the keys that a survey keeps.
func (w *Worker) room(s *survey) (room func(bytes int) ([]byte, uint64), err error) {
	var memory []byte
	if s.kept != wire.NoMapping {
		if memory, err = w.Mapping(s.kept, true); err != nil {
			return nil, err
		}
	}
	return func(n int) ([]byte, uint64) { return takeRoom(memory, n) }, nil
}
