import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { renderScript, renderUserData, USER_DATA_LIMIT } from '../../nodes/render';
import { USER_DATA } from './machine';

const NODES = join(__dirname, '../../nodes');
const STEMS = readdirSync(NODES)
  .filter((file) => file.endsWith('.sh') && file !== 'user-data.sh')
  .map((file) => file.slice(0, -'.sh'.length));

const pascal = (stem: string) => stem.replace(/(^|-)(\w)/g, (_, _dash, letter: string) => letter.toUpperCase());

test('user data fits EC2 with room for long names', () => {
  const longest = Object.fromEntries(Object.keys(USER_DATA).map((key) => [key, 'x'.repeat(200)]));
  expect(Buffer.byteLength(renderUserData({ ...USER_DATA, ...longest }))).toBeLessThan(USER_DATA_LIMIT * 0.75);
});

test('no placeholder is left in user data', () => {
  expect(renderUserData(USER_DATA)).not.toMatch(/@[A-Z0-9_]+@/);
});

test.each(STEMS)('%s is one file that says which node command it is', (stem) => {
  const text = renderScript(stem);
  expect(text.split('\n').slice(0, 2)).toEqual(['#!/bin/bash', `# node command: ${pascal(stem)}`]);
  expect(text).not.toMatch(/^source lib/m);
});

test.each([...STEMS, 'user-data'])('%s uses no SSM placeholder and no tool beyond those an instance has', (stem) => {
  const text = stem === 'user-data' ? renderUserData(USER_DATA) : renderScript(stem);
  expect(text).not.toContain('{{');
  expect(text.replace(/^\s*#.*$/gm, '')).not.toMatch(/\b(jq|python3?|perl|awk)\b/);
});

const shellcheck = spawnSync('shellcheck', ['--version']);
const lint = shellcheck.error ? test.skip : test;

lint.each([...STEMS, 'user-data'])('shellcheck finds nothing in %s', (stem) => {
  const input = stem === 'user-data' ? renderUserData(USER_DATA) : renderScript(stem);
  const { stdout } = spawnSync('shellcheck', ['--shell=bash', '-'], { input, encoding: 'utf8' });
  expect(stdout).toBe('');
});
