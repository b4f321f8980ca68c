package wire_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/smithy-go/logging"

	"github.com/lambda-rollout/lambda-rollout/lambdas/transport"
	"github.com/lambda-rollout/lambda-rollout/lambdas/wire"
	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

var noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

// remote is the other end of the functions' connections. Each connection is
// served by serve until that returns; then it is closed.
type remote struct {
	serve func(net.Conn)
	dials int
}

func (r *remote) dial(context.Context, string, string) (net.Conn, error) {
	if r.serve == nil {
		return nil, errors.New("refused")
	}
	r.dials++
	near, far := net.Pipe()
	go func() {
		defer far.Close()
		r.serve(far)
	}()
	return near, nil
}

// client is a client of CloudWatch as the deployed functions have it.
func (r *remote) client(t *testing.T) *cloudwatch.Client {
	return cloudwatch.NewFromConfig(r.config(t))
}

// config is the deployed functions', on the clock of the test's bubble.
func (r *remote) config(t *testing.T) aws.Config {
	cfg, err := wire.Config(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	cfg.Logger = logging.Nop{} // of answers that could not be read to the end
	cfg.BaseEndpoint = aws.String("http://aws.invalid")
	cfg.HTTPClient = transport.Client{BuildableClient: cfg.HTTPClient.(transport.Client).WithTransportOptions(func(t *http.Transport) {
		t.DialContext = r.dial
	})}
	return cfg
}

// ask is a call with an answer that has a body.
func ask(c *cloudwatch.Client) error {
	_, err := c.GetMetricData(context.Background(), &cloudwatch.GetMetricDataInput{
		StartTime: aws.Time(noon), EndTime: aws.Time(noon.Add(time.Minute)),
		MetricDataQueries: []types.MetricDataQuery{{Id: aws.String("a"), MetricStat: &types.MetricStat{
			Metric: &types.Metric{Namespace: aws.String("N"), MetricName: aws.String("M")}, Period: aws.Int32(60), Stat: aws.String("Sum"),
		}}},
	})
	return err
}

// served is the next request on a connection, and what AWS answers to it.
func served(from *bufio.Reader) ([]byte, error) {
	r, err := http.ReadRequest(from)
	if err != nil {
		return nil, err
	}
	r.URL.Scheme, r.URL.Host, r.RequestURI = "http", r.Host, ""
	answer, err := localaws.New(localaws.Options{Now: func() time.Time { return noon }}).Client().Do(r)
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	err = answer.Write(&text)
	return text.Bytes(), err
}

func inTheFunctionsEnvironment(t *testing.T) {
	for name, value := range map[string]string{"AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null"} {
		t.Setenv(name, value)
	}
}

// TestACallThatHangsEndsInTimeWithItsReason wherever it hangs.
func TestACallThatHangsEndsInTimeWithItsReason(t *testing.T) {
	inTheFunctionsEnvironment(t)
	for name, serve := range map[string]func(net.Conn){
		"the request is not read": func(net.Conn) { time.Sleep(time.Hour) },
		"there is no answer":      func(far net.Conn) { _, _ = io.Copy(io.Discard, far) },
		"the answer's head ends in the middle": func(far net.Conn) {
			answer, _ := served(bufio.NewReader(far))
			_, _ = far.Write(answer[:20])
			time.Sleep(time.Hour)
		},
		"the answer's body ends in the middle": func(far net.Conn) {
			answer, _ := served(bufio.NewReader(far))
			_, _ = far.Write(answer[:len(answer)-1])
			time.Sleep(time.Hour)
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			r := &remote{serve: serve}
			client := r.client(t)
			for range 100 { // which of the call's goroutines sees the end first is chance
				began := time.Now()
				err := ask(client)
				if !errors.Is(err, context.DeadlineExceeded) || !strings.HasSuffix(err.Error(), "GetMetricData, no answer within 10s: context deadline exceeded") {
					t.Errorf("%s: %v", name, err)
					break
				}
				if took := time.Since(began); took != 10*time.Second {
					t.Errorf("%s: ended after %s", name, took)
				}
			}
			time.Sleep(2 * time.Hour) // all connections end
		})
	}
}

// TestAnAnswerThatComesSlowlyIsReadToItsEnd, though the request's body is closed
// as soon as the answer begins.
func TestAnAnswerThatComesSlowlyIsReadToItsEnd(t *testing.T) {
	inTheFunctionsEnvironment(t)
	synctest.Test(t, func(t *testing.T) {
		r := &remote{serve: func(far net.Conn) {
			buffer := bufio.NewReader(far)
			for {
				answer, err := served(buffer)
				if err != nil {
					return
				}
				for _, part := range bytes.SplitAfter(answer, []byte("\r\n\r\n")) {
					_, _ = far.Write(part)
					time.Sleep(time.Second)
				}
			}
		}}
		client := r.client(t)
		for n := range 100 { // which goroutine runs first is chance
			if err := ask(client); err != nil {
				t.Errorf("call %d: %v", n+1, err)
				break
			}
		}
		time.Sleep(time.Hour) // the connection ends
	})
}

// TestAPatientCallWaits for what takes longer than a call of AWS.
func TestAPatientCallWaits(t *testing.T) {
	inTheFunctionsEnvironment(t)
	synctest.Test(t, func(t *testing.T) {
		r := &remote{serve: func(far net.Conn) {
			answer, _ := served(bufio.NewReader(far))
			time.Sleep(10 * time.Minute)
			_, _ = far.Write(answer)
			time.Sleep(time.Minute) // for a call that comes soon
		}}
		cfg := r.config(t)
		if err := ask(cloudwatch.NewFromConfig(wire.Patient(cfg))); err != nil {
			t.Error(err)
		}
		if err := ask(cloudwatch.NewFromConfig(cfg)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("and the other one: %v", err)
		}
		time.Sleep(time.Hour) // the connections end
	})
}

// TestAnEarlierEndOfTheCallersOwnStays: a caller who waits for less hears of its
// own limit.
func TestAnEarlierEndOfTheCallersOwnStays(t *testing.T) {
	inTheFunctionsEnvironment(t)
	synctest.Test(t, func(t *testing.T) {
		r := &remote{serve: func(far net.Conn) { _, _ = io.Copy(io.Discard, far) }}
		client := r.client(t)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := client.DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{})
		if !errors.Is(err, context.DeadlineExceeded) || strings.Contains(err.Error(), "10s") {
			t.Error(err)
		}
	})
}

// TestConnectionsAreNotKeptForTheNextCheck: AWS closes idle connections, some
// services after less than ten seconds. A function that was frozen meanwhile
// would send its next request, which is not sent again, over one of those.
func TestConnectionsAreNotKeptForTheNextCheck(t *testing.T) {
	inTheFunctionsEnvironment(t)
	synctest.Test(t, func(t *testing.T) {
		const forgotten = 6 * time.Second // after so long without a request
		r := &remote{serve: func(far net.Conn) {
			buffer := bufio.NewReader(far)
			for last := time.Now(); ; last = time.Now() {
				answer, err := served(buffer)
				if err != nil || time.Since(last) >= forgotten {
					return
				}
				_, _ = far.Write(answer)
			}
		}}
		client := r.client(t)
		for check := range 10 {
			for range 3 { // calls of one check
				if err := ask(client); err != nil {
					t.Fatalf("check %d: %v", check+1, err)
				}
			}
			time.Sleep(10 * time.Second)
		}
		if r.dials != 10 {
			t.Errorf("it connected %d times in 10 checks: each takes one connection for all its calls", r.dials)
		}
	})
}
