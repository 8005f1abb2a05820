package reader

import "context"

// resync leaves the bad record at which the parser stands and goes to the next place that looks
// like the start of a record, or to the end. What is between counts as one record.
func (p *parser) resync(ctx context.Context) error {
	for {
		p.restart()
		_, ok, err := p.readLine(ctx)
		if err != nil {
			return err
		}
		p.win.start += p.lines.after
		if !ok {
			break
		}
		p.line++
		good, err := p.plausible(ctx)
		if err != nil {
			return err
		}
		if good {
			break
		}
	}
	p.record++
	return nil
}

// plausible tells whether a record may start where the window does. A line of qualities may
// start with '@' as well; then the next line is a name, or the one after is not a '+' line.
func (p *parser) plausible(ctx context.Context) (bool, error) {
	p.restart()
	head, ok, err := p.readLine(ctx)
	if err != nil || !ok || len(head) < 2 || head[0] != '@' {
		return false, err
	}
	seq, ok, err := p.readLine(ctx)
	if err != nil || !ok || len(seq) > 0 && (seq[0] == '@' || seq[0] == '+') {
		return false, err
	}
	bases := len(seq) > 0 && firstBad(seq, isBase) < 0
	plus, ok, err := p.readLine(ctx)
	if err != nil || !ok || len(plus) == 0 {
		return false, err
	}
	return plus[0] == '+' || bases && firstBad(plus, isBase) < 0, nil
}
