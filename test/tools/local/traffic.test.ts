import { visitOf } from '../../../tools/local/traffic';

describe('the traffic', () => {
  it('asks under the domain, where there is one', () => {
    expect(visitOf({ demo: { enabled: true } })).toEqual({ headers: {}, status: 200 });
    expect(visitOf({ domain: 'demo.example.org', demo: { enabled: true } })).toMatchObject({
      headers: { host: 'demo.example.org' },
    });
  });

  it('is content with Traefik’s own answer when there is no demo', () => {
    expect(visitOf({ demo: { enabled: false } }).status).toBe(404);
  });
});
