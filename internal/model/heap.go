package model

// event is the end of a service: at a time for workers on their own, at a virtual time on cores.
type event struct {
	at  float64
	seq uint64 // breaks ties by age, so that a run is deterministic
	job int32
}

func (e event) before(o event) bool { return e.at < o.at || e.at == o.at && e.seq < o.seq }

// number is an item in the heap of those that may enter.
type number int32

func (n number) before(o number) bool { return n < o }

// ordered has an order in which the heap gives it out.
type ordered[T any] interface{ before(T) bool }

var (
	_ ordered[event]  = event{}
	_ ordered[number] = number(0)
)

// heap is a binary heap with the first element, by before, on top. container/heap would allocate
// for each push.
type heap[T ordered[T]] []T

func (h *heap[T]) push(e T) {
	a := append(*h, e)
	i := len(a) - 1
	for i > 0 && e.before(a[(i-1)/2]) {
		a[i] = a[(i-1)/2]
		i = (i - 1) / 2
	}
	a[i] = e
	*h = a
}

func (h *heap[T]) pop() T {
	a := *h
	top, last := a[0], a[len(a)-1]
	a = a[:len(a)-1]
	*h = a
	if len(a) == 0 {
		return top
	}
	i := 0
	for down := 1; down < len(a); down = 2*i + 1 {
		if down+1 < len(a) && a[down+1].before(a[down]) {
			down++
		}
		if !a[down].before(last) {
			break
		}
		a[i] = a[down]
		i = down
	}
	a[i] = last
	return top
}
