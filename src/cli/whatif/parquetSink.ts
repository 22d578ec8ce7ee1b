import { closeSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import type { Cell, ColumnKind } from '../../planner/sweep/figures.js';
import type { Column } from '../../planner/sweep/sweepRows.js';
import { guarded, type RowSink, temporaryName } from './rowSink.js';

/** Rows of one row group: twenty columns of it are five megabytes, and readers skip groups by their statistics. */
const ROWS_PER_GROUP = 32_768;

const types = { number: 'DOUBLE', integer: 'INT32', boolean: 'BOOLEAN', text: 'STRING' } as const satisfies Record<
  ColumnKind,
  string
>;

/** A Parquet file, written one row group at a time, so that memory does not grow with the number of rows. */
export async function parquetSink(
  file: string,
  columns: readonly Column[],
  metadata: Readonly<Record<string, string>>,
): Promise<RowSink> {
  const { ByteWriter, ParquetWriter, schemaFromColumnData } = await import('hyparquet-writer');
  const temporary = temporaryName(file);
  let descriptor = guarded(file, () => openSync(temporary, 'w'));
  const bytes = new ByteWriter();
  // What the encoder has finished goes to the file after every group; its offsets count on.
  const flush = (): void => {
    guarded(file, () => {
      const chunk = new Uint8Array(bytes.buffer, 0, bytes.index);
      for (let done = 0; done < chunk.length; ) done += writeSync(descriptor, chunk, done);
    });
    bytes.index = 0;
  };
  const empty = columns.map(({ name, kind }) => ({ name, data: [], type: types[kind] }));
  const writer = new ParquetWriter({
    writer: bytes,
    schema: schemaFromColumnData({ columnData: empty }),
    createdBy: 'slipway',
    kvMetadata: Object.entries(metadata).map(([key, value]) => ({ key, value })),
  });
  let pending: Cell[][] = columns.map(() => []);
  const group = (): void => {
    const columnData = columns.map(({ name, kind }, i) => ({
      name,
      data: pending[i] ?? [],
      type: types[kind],
      // No two points have one id: the encoder need not look for a dictionary.
      ...(name === 'id' ? { encoding: 'PLAIN' as const } : {}),
    }));
    writer.write({ columnData, rowGroupSize: ROWS_PER_GROUP });
    pending = columns.map(() => []);
    flush();
  };
  return {
    write(rows) {
      for (const row of rows) {
        for (let i = 0; i < columns.length; i++) pending[i]?.push(stored(row[i] ?? null, columns[i]?.kind));
        if ((pending[0]?.length ?? 0) >= ROWS_PER_GROUP) group();
      }
    },
    finish() {
      if ((pending[0]?.length ?? 0) > 0) group();
      writer.finish();
      flush();
      guarded(file, () => {
        closeSync(descriptor);
        descriptor = -1;
        renameSync(temporary, file);
      });
    },
    abandon() {
      if (descriptor >= 0) closeSync(descriptor);
      descriptor = -1;
      rmSync(temporary, { force: true });
    },
  };
}

/** Where an axis mixes numbers and words, its column is text. */
function stored(cell: Cell, kind: ColumnKind | undefined): Cell {
  return kind === 'text' && cell !== null ? String(cell) : cell;
}
