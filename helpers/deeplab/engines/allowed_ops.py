"""Which operations a frozen graph may contain.

A graph is a program, and TensorFlow has operations that read and write files, call Python or stop the process. They
aren't marked as a group (`ReadFile` counts as stateless, `ImmutableConst` maps a file into memory), so a list of
forbidden names would be a guess. This is the other way round: the pure array, mathematics and image operations that
networks are made of, and everything else is refused.
"""

from collections.abc import Iterable

_OPS = """
Placeholder PlaceholderWithDefault Const Identity IdentityN StopGradient PreventGradient NoOp Assert
Switch Merge Enter Exit LoopCond NextIteration

Shape ShapeN Size Rank Reshape Squeeze ExpandDims Transpose Pack Unpack Concat ConcatV2 ConcatOffset Split SplitV
Slice StridedSlice Gather GatherV2 GatherNd ScatterNd Tile Fill Range LinSpace ZerosLike OnesLike OneHot Where
Reverse ReverseV2 InvertPermutation BroadcastTo BroadcastArgs EnsureShape
Pad PadV2 MirrorPad SpaceToBatch SpaceToBatchND BatchToSpace BatchToSpaceND SpaceToDepth DepthToSpace

Cast Bitcast Abs Neg Sign Floor Ceil Round Rint Square Sqrt Rsqrt Reciprocal Inv Exp Expm1 Log Log1p Pow Erf
Sin Cos Tan Tanh Sigmoid Add AddV2 AddN AccumulateNV2 Sub Mul MulNoNan Div DivNoNan RealDiv FloorDiv TruncateDiv
FloorMod Mod TruncateMod SquaredDifference Maximum Minimum ClipByValue
Equal NotEqual Less LessEqual Greater GreaterEqual LogicalAnd LogicalOr LogicalNot Select SelectV2
IsNan IsInf IsFinite
Sum Mean Prod Max Min All Any ArgMax ArgMin Cumsum TopK TopKV2
MatMul BatchMatMul BatchMatMulV2 BatchMatMulV3 Einsum

Conv2D Conv2DBackpropInput DepthwiseConv2dNative Dilation2D BiasAdd BiasAddV1
AvgPool MaxPool MaxPoolV2 MaxPoolWithArgmax
FusedBatchNorm FusedBatchNormV2 FusedBatchNormV3 BatchNormWithGlobalNormalization LRN L2Loss
Relu Relu6 LeakyRelu Elu Selu Softplus Softsign Softmax LogSoftmax

ResizeBilinear ResizeNearestNeighbor ResizeBicubic ResizeArea CropAndResize ExtractImagePatches

FakeQuantWithMinMaxArgs FakeQuantWithMinMaxVars FakeQuantWithMinMaxVarsPerChannel
QuantizeV2 Dequantize Requantize RequantizationRange QuantizeDownAndShrinkRange QuantizedConv2D QuantizedBiasAdd
QuantizedRelu QuantizedRelu6 QuantizedAdd QuantizedMul QuantizedConcat QuantizedReshape QuantizedAvgPool
QuantizedMaxPool QuantizedResizeBilinear
"""
ALLOWED_OPS = frozenset(_OPS.split())


def refused_ops(ops: Iterable[str]) -> list[str]:
    """The operations of a graph that are not on the list, sorted.

    Args:
        ops: operation types of all nodes, those in the graph's function library included.

    >>> refused_ops(["Conv2D", "ReadFile", "ArgMax"])
    ['ReadFile']
    """
    return sorted(set(ops) - ALLOWED_OPS)
