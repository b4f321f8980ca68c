package asl

// filter is an InputPath, OutputPath or ResultPath.
type filter struct {
	nothing bool // null
	path    refPath
}

// whole reports whether the filter is $, the default.
func (f filter) whole() bool { return !f.nothing && f.path.isRoot() }

// apply returns the part of the scope's input that InputPath or OutputPath
// selects; for null, {}.
func (f filter) apply(s scope) (any, error) {
	switch {
	case f.nothing:
		return &object{}, nil
	case f.whole():
		return s.input, nil
	}
	v, ok := s.lookup(f.path)
	if !ok {
		return nil, failf(errorRuntime, "Invalid path '%s' : %s", f.path.text, f.path.missing(s.root(f.path)))
	}
	return v, nil
}

// merge returns a state's raw input with the result at ResultPath; for null,
// the raw input alone.
func (f filter) merge(raw, result any) (any, error) {
	switch {
	case f.nothing:
		return raw, nil
	case f.whole():
		return result, nil
	}
	v, ok := f.path.put(raw, result)
	if !ok {
		return nil, failf(errorResultPathFail, "Unable to apply the ResultPath '%s' to the input '%s'", f.path.text, appendJSON(nil, raw))
	}
	return v, nil
}

// dataFlow holds the fields by which a state selects its input and shapes its
// output, in the order of their use: InputPath, Parameters, (the state's work),
// ResultSelector, ResultPath, OutputPath. ResultPath places the result in the
// raw input, from before InputPath. Templates may be nil.
type dataFlow struct {
	inputPath, resultPath, outputPath filter
	parameters, resultSelector        template
}

// effectiveInput returns what the state works on: its raw input after InputPath
// and Parameters.
func (d *dataFlow) effectiveInput(e *Execution, raw any) (any, error) {
	v, err := d.inputPath.apply(scope{e, raw})
	if err != nil {
		return v, err
	}
	e.inspect(afterInputPath, v)
	if d.parameters != nil {
		if v, err = d.parameters.render(scope{e, v}); err != nil {
			return nil, err
		}
	}
	e.inspect(afterParameters, v)
	return v, nil
}

// output returns what the state passes on: the result of its work after
// ResultSelector, ResultPath and OutputPath.
func (d *dataFlow) output(e *Execution, raw, result any) (any, error) {
	if d.resultSelector != nil {
		v, err := d.resultSelector.render(scope{e, result})
		if err != nil {
			return nil, err
		}
		result = v
	}
	e.inspect(afterResultSelector, result)
	merged, err := d.resultPath.merge(raw, result)
	if err != nil {
		return nil, err
	}
	e.inspect(afterResultPath, merged)
	return d.outputPath.apply(scope{e, merged})
}
