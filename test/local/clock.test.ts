import { ScaledClock, VirtualClock } from '../../local/clock';

describe('the virtual clock', () => {
  it('runs timers in the order of their time, then of their setting', async () => {
    const clock = new VirtualClock(0);
    const seen: string[] = [];
    clock.after(20, () => seen.push('late'));
    clock.after(10, () => seen.push('first of two'));
    clock.after(10, () => seen.push('second of two'));
    await clock.advance(30);
    expect(seen).toEqual(['first of two', 'second of two', 'late']);
    expect(clock.now()).toBe(30);
  });

  it('stands still while nobody drives it', async () => {
    const clock = new VirtualClock(0);
    let fired = false;
    clock.after(0, () => {
      fired = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(fired).toBe(false);
  });

  it('stands still while a hold is busy, and moves while the hold waits for it', async () => {
    const clock = new VirtualClock(0);
    const hold = clock.hold();
    const order: string[] = [];
    clock.after(5, () => order.push('timer'));
    const work = (async () => {
      await new Promise((resolve) => setImmediate(resolve));
      order.push('real work');
      await hold.waiting(clock.sleep(10));
      order.push('slept');
      hold.release();
    })();
    await clock.until(work);
    expect(order).toEqual(['real work', 'timer', 'slept']);
    expect(clock.now()).toBe(10);
  });

  it('passes on what the awaited promise rejects with', async () => {
    const clock = new VirtualClock(0);
    const failing = clock.sleep(1).then(() => {
      throw new Error('broken');
    });
    await expect(clock.until(failing)).rejects.toThrow('broken');
  });

  it('refuses to wait for something that can never happen', async () => {
    const clock = new VirtualClock(0);
    await expect(clock.until(new Promise(() => {}))).rejects.toThrow('virtual time cannot move');
  });

  it('wakes a sleeper whose signal aborts, with the reason', async () => {
    const clock = new VirtualClock(0);
    const controller = new AbortController();
    const sleeping = clock.sleep(1000, controller.signal);
    clock.after(10, () => controller.abort(new Error('stopped')));
    await expect(clock.until(sleeping)).rejects.toThrow('stopped');
    expect(clock.now()).toBe(10);
  });

  it('repeats until cancelled', async () => {
    const clock = new VirtualClock(0);
    let ticks = 0;
    const timer = clock.every(10, () => {
      if (++ticks === 3) timer.cancel();
    });
    await clock.advance(100);
    expect(ticks).toBe(3);
  });

  it('keeps many timers in order', async () => {
    const clock = new VirtualClock(0);
    const seen: number[] = [];
    for (let i = 0; i < 500; i++) {
      const at = (i * 7919) % 503;
      clock.after(at, () => seen.push(at));
    }
    await clock.advance(600);
    expect(seen).toHaveLength(500);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
  });
});

describe('the scaled clock', () => {
  it('lets AWS time pass faster than real time', async () => {
    const clock = new ScaledClock(1000, 0);
    await clock.sleep(2000);
    expect(clock.now()).toBeGreaterThanOrEqual(1000);
    clock.close();
  });

  it('tells other threads how to derive its time', () => {
    const clock = new ScaledClock(20, 1_000_000);
    const [base, start, scale] = new Float64Array(clock.shared, 0, 3);
    expect(base! + (Date.now() - start!) * scale!).toBeCloseTo(clock.now(), -3);
    clock.close();
  });

  it('refuses a scale that would stop or reverse time', () => {
    expect(() => new ScaledClock(0)).toThrow('must be positive');
  });
});

describe('computing, on the scaled clock', () => {
  it('is not accelerated, but waiting is', async () => {
    const clock = new ScaledClock(1000, 0);
    const hold = clock.hold();
    const before = clock.now();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(clock.now() - before).toBeLessThan(1000);
    await hold.waiting(clock.sleep(5000));
    expect(clock.now()).toBeGreaterThanOrEqual(4999);
    hold.release();
    clock.close();
  });

  it('does not lose or reorder timers when it begins and ends', async () => {
    const clock = new ScaledClock(500, 0);
    const seen: number[] = [];
    // Accelerated, the time between one call and the next could be longer than the time between two timers.
    const hold = clock.hold();
    for (const at of [300, 100, 200]) clock.after(at, () => seen.push(at));
    hold.release();
    clock.hold().release();
    await clock.sleep(400);
    expect(seen).toEqual([100, 200, 300]);
    clock.close();
  });

  it('does not run what was cancelled', async () => {
    const clock = new ScaledClock(500, 0);
    const timer = clock.after(50, () => {
      throw new Error('ran');
    });
    timer.cancel();
    await clock.sleep(100);
    clock.close();
  });
});
