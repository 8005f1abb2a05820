package model

// source gives out the items in the order of their numbers, but for those that have to wait for
// others. At any time it knows which items have arrived.
type source struct {
	items   int
	every   float64 // seconds between arrivals
	arrived int     // items below have arrived
	entered int

	// Only with dependencies:
	missing []int32      // per item: needed items that have not left the line
	waiters [][]int32    // per item: who needs it
	ready   heap[number] // arrived and missing nothing
}

func newSource(l *Line) (*source, error) {
	s := &source{items: l.Items, every: l.ArrivalSeconds}
	if len(l.Needs) == 0 {
		return s, nil
	}
	s.missing = make([]int32, l.Items)
	s.waiters = make([][]int32, l.Items)
	for _, pair := range l.Needs {
		item, needed := pair[0], pair[1]
		if item < 0 || item >= l.Items || needed < 0 || needed >= l.Items {
			return nil, wrong("dependencies", "[%d, %d]: items are 0 to %d", item, needed, l.Items-1)
		}
		s.missing[item]++
		s.waiters[needed] = append(s.waiters[needed], int32(item))
	}
	return s, nil
}

// chain is the largest number of items that must follow each other; an error where items wait for
// each other in a circle.
func (s *source) chain() (int, error) {
	if s.missing == nil {
		return 1, nil
	}
	missing := append([]int32(nil), s.missing...)
	depth := make([]int32, s.items)
	order := make([]int32, 0, s.items)
	for i, n := range missing {
		if n == 0 {
			order = append(order, int32(i))
		}
	}
	longest := int32(0)
	for done := 0; done < len(order); done++ {
		i := order[done]
		longest = max(longest, depth[i])
		for _, w := range s.waiters[i] {
			depth[w] = max(depth[w], depth[i]+1)
			if missing[w]--; missing[w] == 0 {
				order = append(order, w)
			}
		}
	}
	if len(order) < s.items {
		for i, n := range missing {
			if n > 0 {
				return 0, wrong("dependencies", "item %d is in, or behind, a circle of items that wait for each other", i)
			}
		}
	}
	return int(longest) + 1, nil
}

// take gives out the next item that may enter at a time. Where there is none, wake says when the
// next arrives; it is negative when no arrival is awaited.
func (s *source) take(now float64) (item int32, wake float64, ok bool) {
	s.admit(now)
	switch {
	case s.missing == nil && s.entered < s.arrived:
		item, ok = int32(s.entered), true
	case len(s.ready) > 0:
		item, ok = int32(s.ready.pop()), true
	case s.arrived < s.items:
		return 0, float64(s.arrived) * s.every, false
	default:
		return 0, -1, false
	}
	s.entered++
	return item, -1, ok
}

func (s *source) admit(now float64) {
	if s.every == 0 && s.missing == nil {
		s.arrived = s.items
	}
	for s.arrived < s.items && float64(s.arrived)*s.every <= now {
		if s.missing != nil && s.missing[s.arrived] == 0 {
			s.ready.push(number(s.arrived))
		}
		s.arrived++
	}
}

// left tells that an item has left the line.
func (s *source) left(item int32) {
	if s.missing == nil {
		return
	}
	for _, w := range s.waiters[item] {
		if s.missing[w]--; s.missing[w] == 0 && int(w) < s.arrived {
			s.ready.push(number(w))
		}
	}
}
