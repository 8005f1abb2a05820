//go:build nometer

package meter

import (
	"context"
	"testing"
)

func TestNothingIsMeasured(t *testing.T) {
	for _, s := range NewSet(SetConfig{}).All() {
		if s != nil {
			t.Errorf("a stage: %+v", s.Snapshot())
		}
	}
	q := NewQueue[int](1, nil, nil)
	if err := q.Send(context.Background(), 7); err != nil {
		t.Fatal(err)
	}
	if v, ok, err := q.Recv(context.Background()); v != 7 || !ok || err != nil {
		t.Errorf("received %d, %v, %v", v, ok, err)
	}
	if s := q.Stats(); s.Sent != 0 || s.Received != 0 {
		t.Errorf("counted: %+v", s)
	}
}
